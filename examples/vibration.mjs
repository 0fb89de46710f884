// Learns what is normal for a machine that vibrates, and lights an LED when it isn't. A sensor on A0 of an Arduino with StandardFirmata; this program on a
// Raspberry Pi or any computer. First record and train (docs/sensors.md has the details):
//
//   goodness capture --port /dev/ttyACM0 --sensor analog:A0 --features spectrum --window 32 --hop 8 --label rest   --seconds 60 --out machine.csv
//   goodness capture --port /dev/ttyACM0 --sensor analog:A0 --features spectrum --window 32 --hop 8 --label normal --seconds 60 --out machine.csv --append
//   goodness train machine.csv --other --layers 16-24-24 --out machine
//   node examples/vibration.mjs /dev/ttyACM0 machine/model.ffm
//
// Options: --teach SECONDS goes on learning `normal` at first (30), --store FILE keeps what was learned, --tcp PORT lets hosts sync, --seconds N ends then.
import { parseArgs } from 'node:util';
import { analogSource, Learner, openFirmata } from 'goodness';
import five from 'johnny-five';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    teach: { type: 'string', default: '30' },
    store: { type: 'string' },
    tcp: { type: 'string' },
    seconds: { type: 'string' },
    baud: { type: 'string', default: '57600' },
    hop: { type: 'string', default: '8' },
  },
});
const [port, model] = positionals;
if (port === undefined || model === undefined) {
  console.error('usage: node examples/vibration.mjs <port> <model.ffm> [--teach seconds] [--store file] [--tcp port]');
  process.exit(2);
}

const firmata = await openFirmata(port, { baud: Number(values.baud) });
const { board, firmware } = firmata;
console.log(`${firmware} on ${port}`);
const led = new five.Led({ pin: 13, board });
// 50 samples per second by the board's own clock, as recorded. Any johnny-five sensor will do as well: new five.Sensor({ pin: 'A0', board, freq: 20 }).
const sensor = await analogSource(firmata, ['A0'], 50);

const learner = new Learner({
  model,
  sensor,
  board,
  hop: Number(values.hop),
  label: 'normal',
  ...(values.store === undefined ? {} : { store: values.store }),
});
await learner.ready;
console.log(`classes: ${learner.classes.join(', ')}; learning "normal" for ${values.teach} s`);
if (values.tcp !== undefined)
  console.log(`hosts may sync at ${(await learner.serve(Number(values.tcp), '0.0.0.0')).address}`);

setTimeout(() => {
  learner.label = undefined;
  console.log('watching');
}, 1000 * Number(values.teach));

// One odd window in three is chance; two of the last three are not.
const recent = [];
let alarm = false;
learner.on('goodness', ({ class: name, novel }) => {
  if (learner.label !== undefined) return; // what is taught now is normal by definition
  recent.push(novel);
  if (recent.length > 3) recent.shift();
  const now = recent.filter(Boolean).length >= 2;
  if (now === alarm) return;
  alarm = now;
  console.log(alarm ? `novelty: this is neither rest nor normal (nearest: ${name})` : `all well again: ${name}`);
  if (alarm) led.on();
  else led.off();
});
learner.on('error', (error) => {
  console.error(error.message);
  end(1);
});

async function end(code) {
  await learner.close();
  await sensor.close();
  process.exit(code);
}
process.on('SIGINT', () => end(0));
if (values.seconds !== undefined) setTimeout(() => end(0), 1000 * Number(values.seconds));
