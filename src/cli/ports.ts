import { defineCommand } from 'citty';
import { listPorts, type Port } from '../device/ports.js';
import { COMMON } from './arguments.js';
import type { CliContext } from './context.js';

export default defineCommand({
  meta: {
    name: 'ports',
    description: 'Lists the serial ports of this machine: what --port takes beside sim and tcp://host:port',
  },
  args: COMMON,
  async run({ data }) {
    const { output, environment, platform } = data as CliContext;
    const ports = await listPorts({ platform, path: environment.PATH ?? '', devices: '/dev' });
    output.result({ ports }, ports.length === 0 ? 'no serial ports' : ports.map(describe).join('\n'));
    if (ports.length === 0) output.note('without a board: --port sim, or `goodness simulate`');
  },
});

function describe(port: Port): string {
  const usb = port.vendorId === undefined ? undefined : `${port.vendorId}:${port.productId ?? '?'}`;
  return [port.path, port.manufacturer, usb, port.serialNumber ?? port.id]
    .filter((part) => part !== undefined)
    .join('  ');
}
