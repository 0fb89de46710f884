import type { CommandDef } from 'citty';

export interface CommandEntry {
  readonly name: string;
  /** One line for the overview. */
  readonly summary: string;
  /** Loads the command when it is needed: an overview must work whatever a command depends on. */
  // biome-ignore lint/suspicious/noExplicitAny: commands differ in their arguments
  load(): Promise<{ readonly default: CommandDef<any> }>;
}

/** All commands, in the order of the overview. */
export const COMMANDS: readonly CommandEntry[] = [
  { name: 'demo', summary: 'Run the whole loop and report', load: () => import('./demo.js') },
  { name: 'train', summary: 'Train a network and quantize it', load: () => import('./train.js') },
  { name: 'quantize', summary: 'Make a model image from a checkpoint', load: () => import('./quantize.js') },
  { name: 'sync', summary: 'Do the negative phase for a device', load: () => import('./sync.js') },
  { name: 'generate', summary: 'Make sensor data to play with', load: () => import('./generate.js') },
  { name: 'features', summary: 'Run data through a frozen model', load: () => import('./make-features.js') },
  { name: 'export', summary: 'Write a model as a C header or for TensorFlow Lite', load: () => import('./export.js') },
  { name: 'inspect', summary: 'Show what a model is and what it needs', load: () => import('./inspect.js') },
  {
    name: 'verify',
    summary: 'Check that a device computes what the reference computes',
    load: () => import('./verify.js'),
  },
  { name: 'flash', summary: 'Put a model or firmware on a board', load: () => import('./flash.js') },
  { name: 'eval', summary: 'Classify data on a device', load: () => import('./eval.js') },
  { name: 'learn', summary: 'Play data to a device as if it were its sensor', load: () => import('./learn.js') },
  { name: 'monitor', summary: 'Watch a device', load: () => import('./monitor.js') },
  { name: 'capture', summary: 'Record labelled data from a sensor', load: () => import('./capture.js') },
  { name: 'ports', summary: 'List serial ports and the boards on them', load: () => import('./ports.js') },
  { name: 'boards', summary: 'List the boards that can be flashed', load: () => import('./boards.js') },
  { name: 'firmware', summary: 'Build or list the firmware of boards', load: () => import('./firmware.js') },
  { name: 'doctor', summary: 'Check what this machine can do', load: () => import('./doctor.js') },
  {
    name: 'simulate',
    summary: 'Run a virtual board that other commands can talk to',
    load: () => import('./simulate.js'),
  },
];
