// Writes a frozen feature extractor as a .tflite file: eight edge detectors of 5 x 5 pixels, one for each direction, of which the strongest answer within
// 4 x 4 pixels stays. Then a network learns from what it sees of images, instead of from their pixels:
//
//   node examples/extractor.mjs edges.tflite
//   goodness train mnist --features edges.tflite --out digits
//   goodness eval --port sim --model digits/model.ffm --data mnist --features edges.tflite
//
// Any other .tflite model with one input and one output will do: what Keras exports, say, without its last layer.
import { writeFileSync } from 'node:fs';
import { encodeTflite, Graph } from 'goodness';

const [file, width = '28', height = '28'] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node examples/extractor.mjs <file.tflite> [width] [height], both multiples of 4');
  process.exit(2);
}
const [w, h] = [Number(width), Number(height)];
const DIRECTIONS = 8;
const SIDE = 5;
const POOL = 4;

/** The slope of a Gaussian in one direction; what it answers to black beside white is about 1. */
function edge(direction) {
  const angle = (2 * Math.PI * direction) / DIRECTIONS;
  const taps = Array.from({ length: SIDE * SIDE }, (_, k) => {
    const [x, y] = [(k % SIDE) - 2, Math.floor(k / SIDE) - 2];
    return (x * Math.cos(angle) + y * Math.sin(angle)) * Math.exp(-(x * x + y * y) / 4);
  });
  const sum = taps.reduce((total, tap) => total + Math.abs(tap), 0);
  return taps.map((tap) => (2 * tap) / sum);
}

const graph = new Graph('edges', `edges in ${DIRECTIONS} directions, the strongest of ${POOL} x ${POOL} pixels`);
const image = graph.input({ name: 'image', type: 'float32', shape: [1, h, w, 1] });
const taps = Array.from({ length: DIRECTIONS }, (_, d) => edge(d)).flat();
const filters = graph.constant('filters', taps, [DIRECTIONS, SIDE, SIDE, 1]);
const bias = graph.constant(
  'bias',
  Array.from({ length: DIRECTIONS }, () => -0.05),
);
const edges = { name: 'edges', type: 'float32', shape: [1, h, w, DIRECTIONS] };
const found = graph.apply('conv2d', [image, filters, bias], edges, { padding: 'same', activation: 'relu' });
const pooled = { name: 'strongest', type: 'float32', shape: [1, h / POOL, w / POOL, DIRECTIONS] };
graph.output(graph.apply('maxPool2d', [found], pooled, { padding: 'valid', filter: POOL, stride: POOL }));
writeFileSync(file, encodeTflite(graph));
