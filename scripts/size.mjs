// `npm run bench:size -- [--json]`: what the firmware core costs in code, RAM and stack on each class of processor.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'build/size');

const CLASSES = [
  { cpu: 'cortex-m0', name: 'Cortex-M0', tools: 'arm-none-eabi-', calls: callsFromGraph, kernels: true },
  { cpu: 'cortex-m4', name: 'Cortex-M4', tools: 'arm-none-eabi-', calls: callsFromGraph, kernels: true },
  { cpu: 'avr', name: 'AVR', tools: 'avr-', calls: callsFromDisassembly, kernels: false },
];

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (error !== undefined || status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
  return stdout;
}

/** Bytes of an address of return on AVR. */
const ADDRESS = 2;

/** Bytes of flash: code, tables, and initial values of variables. */
function flash(tools, elf) {
  const rows = run(`${tools}size`, ['-A', elf]).matchAll(/^\.(?:text|rodata|data)\s+(\d+)/gm);
  return [...rows].reduce((sum, row) => sum + Number(row[1]), 0);
}

/** Sizes of the symbols of an ELF file; those without a size count 0. */
function symbols(tools, elf) {
  const rows = run(`${tools}nm`, ['-S', elf]).matchAll(/^[0-9a-f]+ (?:([0-9a-f]+) )?\w (\S+)$/gm);
  return Object.fromEntries([...rows].map((row) => [row[2], Number.parseInt(row[1] ?? '0', 16)]));
}

/** Bytes of flash that each source file compiles to by itself: the linker throws some of it away. */
function files(tools, parts) {
  return objects(parts).map((name) => ({
    file: `${name.slice(0, -2)}.c`,
    code: run(`${tools}size`, [join(parts, name)])
      .split('\n')[1]
      .trim()
      .split(/\s+/)
      .slice(0, 2)
      .reduce((sum, column) => sum + Number(column), 0),
  }));
}

function objects(parts) {
  return readdirSync(parts).filter((name) => name.endsWith('.o'));
}

/**
 * The one indirect call within the core is the forward pass's, of the learning hook. The others are of the port's functions for
 * flash and clock, whose stack comes on top.
 */
function indirect(from, nodes) {
  return from.endsWith('ff_forward') ? [...nodes.keys()].filter((name) => name.endsWith('learn_layer')) : [];
}

/** Frames and calls of GCC's call graphs (.ci). A name is `file:function` for functions of one file. */
function callsFromGraph(parts) {
  const nodes = new Map();
  const edges = [];
  for (const name of readdirSync(parts).filter((n) => n.endsWith('.ci'))) {
    const text = readFileSync(join(parts, name), 'utf8');
    for (const [, title, bytes] of text.matchAll(/node: \{ title: "([^"]+)" label: "[^"]*\\n(\d+) bytes \(/g)) {
      nodes.set(title, { frame: Number(bytes), calls: [] });
    }
    for (const [, from, to] of text.matchAll(/edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"/g))
      edges.push([from, to]);
  }
  for (const [from, to] of edges)
    nodes.get(from)?.calls.push(...(to === '__indirect_call' ? indirect(from, nodes) : [to]));
  return nodes;
}

/**
 * The same for compilers without such graphs: frames from `-fstack-usage` (.su), calls from the disassembly. A function in assembly has no
 * frame there: its address of return, what it pushes, and a call into itself are counted.
 */
function callsFromDisassembly(parts, tools) {
  const nodes = new Map();
  const edges = [];
  for (const object of objects(parts)) {
    const frames = readFileSync(join(parts, object.replace(/\.o$/, '.su')), 'utf8').matchAll(/:([\w.]+)\t(\d+)\t/g);
    const own = new Map([...frames].map(([, name, bytes]) => [name, Number(bytes)]));
    const global = new Set([...run(`${tools}nm`, [join(parts, object)]).matchAll(/ T (\S+)$/gm)].map((row) => row[1]));
    const title = (name) => (own.has(name) && !global.has(name) ? `${object}:${name}` : name);
    for (const [name, frame] of own) nodes.set(title(name), { frame, calls: [] });
    let from = '';
    for (const line of run(`${tools}objdump`, ['-dr', join(parts, object)]).split('\n')) {
      const start = /^[0-9a-f]+ <([^>]+)>:/.exec(line);
      if (start !== null) {
        from = start[1];
        if (global.has(from) && !own.has(from)) nodes.set(from, { frame: ADDRESS, calls: [] });
      }
      if (!own.has(from) && nodes.has(from)) {
        if (/\spush\s/.test(line)) nodes.get(from).frame++;
        else if (/\srcall\s/.test(line)) nodes.get(from).inner = ADDRESS;
      }
      const call = /R_AVR_(?:CALL|13_PCREL)\s+(?:\.text\.)?(\w[\w.]*)(\+0x[0-9a-f]+)?$/.exec(line);
      // A jump into a function is one within it, or the shared prologue.
      if (call !== null && call[2] === undefined && call[1] !== from) edges.push([title(from), title(call[1])]);
      else if (/\be?icall\b/.test(line)) edges.push([title(from), undefined]);
    }
  }
  for (const [from, to] of edges) nodes.get(from)?.calls.push(...(to === undefined ? indirect(from, nodes) : [to]));
  for (const node of nodes.values()) node.frame += node.inner ?? 0;
  return nodes;
}

/** A bound on the stack: the deepest chain of calls below `entry`, by the frames that the compiler gives each file by itself. */
function stack(nodes, entry) {
  const deepest = (name, above) => {
    const node = nodes.get(name);
    if (node === undefined || above.includes(name)) return { bytes: 0, chain: [] };
    const below = [...new Set(node.calls)].map((next) => deepest(next, [...above, name]));
    const most = below.reduce((a, b) => (b.bytes > a.bytes ? b : a), { bytes: 0, chain: [] });
    return { bytes: node.frame + most.bytes, chain: [name.split(':').pop(), ...most.chain] };
  };
  return deepest(entry, []);
}

function measure({ cpu, name, tools, calls, kernels }) {
  run('make', ['-C', join(root, 'firmware'), `size-${cpu}`]);
  const elf = (kind) => join(folder, `${kind}-${cpu}.elf`);
  const parts = join(folder, `parts-${cpu}`);
  const core = symbols(tools, elf('core'));
  return {
    cpu,
    name,
    compiler: run(`${tools}gcc`, ['--version']).split('\n')[0],
    inference: flash(tools, elf('inference')),
    core: flash(tools, elf('core')),
    withNibbles: flash(tools, elf('nibbles')),
    withKernels: flash(tools, elf(kernels ? 'kernels' : 'core')),
    withStages: flash(tools, elf('stages')),
    withoutStatistics: flash(tools, elf('bare')),
    context: { ff_device: core.size_device, ff_link: core.size_link },
    stack: stack(calls(parts, tools), 'ff_link_step'),
    files: files(tools, parts),
    inferenceSymbols: Object.keys(symbols(tools, elf('inference'))).filter((symbol) => symbol.startsWith('ff_')),
  };
}

function table(sizes) {
  const row = (...cells) => cells.map((cell, i) => (i === 0 ? cell.padEnd(52) : String(cell).padStart(12))).join('');
  const each = (label, pick) => row(label, ...sizes.map(pick));
  const names = sizes[0].files.map((f) => f.file);
  return [
    ...new Set(sizes.map((s) => s.compiler)),
    '',
    row('bytes', ...sizes.map((s) => s.name)),
    each('code, inference only', (s) => s.inference),
    each('code, inference, learning, store, patches, link', (s) => s.withoutStatistics),
    each('code, all that and class statistics', (s) => s.core),
    each('code, all that and weights of 4 bits and fewer', (s) => s.withNibbles),
    each('code, with kernels of the processor (8 bits)', (s) => s.withKernels),
    each('code, with parts of networks instead', (s) => s.withStages),
    each('RAM, ff_device (one)', (s) => s.context.ff_device),
    each('RAM, ff_link (one per link, beside its buffer)', (s) => s.context.ff_link),
    each('stack, deepest below ff_link_step', (s) => s.stack.bytes),
    '',
    'Code as linked, at -Os, tables included. Weights have 8 bits (FF_NIBBLES=0) and networks are whole (FF_STAGES=0) but where a row says otherwise; kernels of Cortex-M are the naive ones (FF_KERNELS=naive) but in their row. The AVR build has FF_SMALL, FF_ROM_FAR, FF_RECORDS and 4 layers.',
    ...sizes.map((s) => `Stack, ${s.name}: ${s.stack.chain.join(' > ')}`),
    '',
    row('by file, before the linker throws anything away', ...sizes.map((s) => s.name)),
    ...names.map((file) => each(`  ${file}`, (s) => s.files.find((f) => f.file === file).code)),
  ].join('\n');
}

const has = (tool) => spawnSync(tool, ['--version']).status === 0;
const able = has('make') ? CLASSES.filter(({ tools }) => has(`${tools}gcc`)) : [];
for (const { name, tools } of CLASSES.filter((c) => !able.includes(c))) {
  console.error(`bench:size: ${name} is not measured: it needs make and ${tools}gcc`);
}
if (able.length === 0) {
  process.exitCode = 1;
} else {
  const sizes = able.map(measure);
  console.log(process.argv.includes('--json') ? JSON.stringify({ classes: sizes }) : table(sizes));
}
