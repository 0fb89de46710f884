// `npm run bench:size -- [--json]`: what the firmware core costs in code, stack and RAM, by arm-none-eabi-gcc.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'build/size');
const TOOLS = 'arm-none-eabi-';

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined || status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
  return stdout;
}

function sections(elf) {
  const rows = run(`${TOOLS}size`, ['-A', elf]).matchAll(/^(\.\w+)\s+(\d+)/gm);
  const size = Object.fromEntries([...rows].map((row) => [row[1], Number(row[2])]));
  const [text, rodata, data] = ['.text', '.rodata', '.data'].map((name) => size[name] ?? 0);
  return { text, rodata, data, code: text + rodata + data };
}

/** Sizes of the symbols of an ELF file; those without a size count 0. */
function symbols(elf) {
  const rows = run(`${TOOLS}nm`, ['-S', elf]).matchAll(/^[0-9a-f]+ (?:([0-9a-f]+) )?\w (\S+)$/gm);
  return Object.fromEntries([...rows].map((row) => [row[2], Number.parseInt(row[1] ?? '0', 16)]));
}

/** Bytes of flash that each source file compiles to by itself: the linker throws some of it away. */
function files(parts) {
  return readdirSync(parts)
    .filter((name) => name.endsWith('.o'))
    .map((name) => ({
      file: `${name.slice(0, -2)}.c`,
      code: Number(
        run(`${TOOLS}size`, [join(parts, name)])
          .split('\n')[1]
          .trim()
          .split(/\s+/)[0],
      ),
    }));
}

/**
 * A bound on the stack below `entry`: the deepest chain of calls that the code has, by the frames that the compiler
 * gives each file by itself. The one indirect call within the core is the learning hook of the forward pass; the
 * port's flash functions come on top.
 */
function stack(parts, entry) {
  const frame = new Map();
  const calls = new Map([['__indirect_call', new Set()]]);
  for (const name of readdirSync(parts).filter((n) => n.endsWith('.ci'))) {
    const text = readFileSync(join(parts, name), 'utf8');
    for (const [, title, bytes] of text.matchAll(/node: \{ title: "([^"]+)" label: "[^"]*\\n(\d+) bytes \(/g)) {
      frame.set(title, Number(bytes));
      if (title.endsWith(':learn_layer')) calls.get('__indirect_call').add(title);
    }
    for (const [, from, to] of text.matchAll(/edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"/g)) {
      if (!calls.has(from)) calls.set(from, new Set());
      calls.get(from).add(to);
    }
  }
  const deepest = (name, above) => {
    if (above.includes(name)) return { bytes: 0, chain: [] };
    const below = [...(calls.get(name) ?? [])].map((next) => deepest(next, [...above, name]));
    const most = below.reduce((a, b) => (b.bytes > a.bytes ? b : a), { bytes: 0, chain: [] });
    const here = name === '__indirect_call' ? [] : [name.split(':').pop()];
    return { bytes: (frame.get(name) ?? 0) + most.bytes, chain: [...here, ...most.chain] };
  };
  return deepest(entry, []);
}

function measure() {
  run('make', ['-C', join(root, 'firmware'), 'size-files']);
  const of = (kind, cpu) => join(folder, `${kind}-${cpu}.elf`);
  const cpus = ['cortex-m4', 'cortex-m0'];
  const linked = symbols(of('core', 'cortex-m4'));
  const parts = join(folder, 'parts');
  return {
    compiler: run(`${TOOLS}gcc`, ['--version']).split('\n')[0],
    core: Object.fromEntries(cpus.map((cpu) => [cpu, sections(of('core', cpu))])),
    inference: Object.fromEntries(cpus.map((cpu) => [cpu, sections(of('inference', cpu))])),
    inferenceSymbols: Object.keys(symbols(of('inference', 'cortex-m4'))).filter((name) => name.startsWith('ff_')),
    files: files(parts),
    stack: stack(parts, 'ff_link_step'),
    context: { ff_device: linked.size_device, ff_link: linked.size_link },
  };
}

function table(size) {
  const line = (name, bytes, more = '') => `${name.padEnd(52)}${String(bytes).padStart(7)}${more}`;
  const total = size.files.reduce((sum, f) => sum + f.code, 0);
  return [
    size.compiler,
    '',
    'Code in bytes (.text + .rodata + .data), -Os, as linked',
    ...Object.entries(size.core).map(([cpu, s]) => line(`  infers, learns, stores, serves a link, ${cpu}`, s.code)),
    ...Object.entries(size.inference).map(([cpu, s]) => line(`  inference only, ${cpu}`, s.code)),
    '',
    'By file, cortex-m4, before link-time optimisation',
    ...size.files.map((f) => line(`  ${f.file}`, f.code)),
    line('  all', total),
    '',
    'RAM in bytes, cortex-m4',
    line('  ff_device (one)', size.context.ff_device),
    line('  ff_link (one per link, beside its buffer)', size.context.ff_link),
    line('  stack, deepest below ff_link_step', size.stack.bytes),
    `    ${size.stack.chain.join(' > ')}`,
  ].join('\n');
}

const missing = ['make', `${TOOLS}gcc`].filter((tool) => spawnSync(tool, ['--version']).status !== 0);
if (missing.length > 0) {
  console.error(`bench:size needs ${missing.join(' and ')}, which is not installed: nothing was measured`);
  process.exitCode = 1;
} else {
  const size = measure();
  console.log(process.argv.includes('--json') ? JSON.stringify(size) : table(size));
}
