import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { listPorts, type Port, type PortSystem } from './ports.js';
import { findProgram } from './programs.js';

/** What a port's file says of who may use it. */
export interface PortRights {
  readonly usable: boolean;
  /** Name of the group that owns it, or its number; undefined where there are no groups. */
  readonly group?: string;
}

/** What of a machine the doctor looks at: passed in, so that it can examine one that isn't there. */
export interface DoctorSystem extends PortSystem {
  /** As process.version: `v20.20.0`. */
  readonly nodeVersion: string;
  /** Loads the native part of serialport; rejects where it doesn't load. */
  loadSerial(): Promise<void>;
  /** Loads the backend that training would take; resolves with its name. */
  loadBackend(): Promise<string>;
  ports(): Promise<Port[]>;
  portRights(path: string): PortRights;
  /** Names of the groups that this process belongs to. */
  groups(): readonly string[];
  /** Names of the groups that the user would have after a fresh login. */
  groupsOfUser(): readonly string[];
  hasFile(path: string): boolean;
  hasProgram(name: string): boolean;
  /** Whether an npm package is there. */
  hasModule(name: string): boolean;
  /** Names of the programs that run. */
  running(): ReadonlySet<string>;
  /** ID and ID_LIKE of /etc/os-release: `debian`, `ubuntu`, `fedora`; none elsewhere. */
  readonly distribution: readonly string[];
}

/** What only the command line knows of the process. */
export interface ProcessFacts {
  readonly platform: string;
  readonly nodeVersion: string;
  readonly path: string;
  readonly user: string;
  /** Numbers of the process's groups. */
  readonly groups: readonly number[];
  loadBackend(): Promise<string>;
}

/** This machine. Whatever can't be read counts as not there. */
export function thisMachine(facts: ProcessFacts): DoctorSystem {
  const { platform, path, nodeVersion, user } = facts;
  const devices = '/dev';
  const names = groupNames();
  return {
    platform,
    path,
    devices,
    nodeVersion,
    loadBackend: () => facts.loadBackend(),
    loadSerial: async () => {
      await import('serialport');
    },
    ports: () => listPorts({ platform, path, devices }),
    portRights: (port) => portRights(port, names),
    groups: () => facts.groups.map((id) => names.get(id)?.name ?? String(id)),
    groupsOfUser: () => [...names.values()].filter((group) => group.members.includes(user)).map((group) => group.name),
    hasFile: (file) => existsSync(file),
    // Services live in sbin, which users often don't have in their PATH.
    hasProgram: (name) => findProgram([path, '/usr/sbin', '/sbin'].join(delimiter), name, platform) !== undefined,
    hasModule,
    running: () => running(platform),
    distribution: distribution(),
  };
}

function portRights(path: string, names: ReadonlyMap<number, Group>): PortRights {
  let usable = true;
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch {
    usable = false;
  }
  try {
    const { gid } = statSync(path);
    return { usable, group: names.get(gid)?.name ?? String(gid) };
  } catch {
    return { usable };
  }
}

interface Group {
  readonly name: string;
  readonly members: readonly string[];
}

function groupNames(): Map<number, Group> {
  const groups = new Map<number, Group>();
  for (const line of read('/etc/group').split('\n')) {
    const [name = '', , id, members = ''] = line.split(':');
    if (id !== undefined) groups.set(Number(id), { name, members: members.split(',').filter((m) => m !== '') });
  }
  return groups;
}

function hasModule(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch (error) {
    // A package for `import` alone is there all the same.
    return (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
  }
}

function running(platform: string): Set<string> {
  const names = new Set<string>();
  if (platform !== 'linux') return names;
  let entries: string[] = [];
  try {
    entries = readdirSync('/proc');
  } catch {
    return names;
  }
  for (const entry of entries) {
    if (/^\d+$/.test(entry)) names.add(read(join('/proc', entry, 'comm')).trim());
  }
  return names;
}

function distribution(): string[] {
  const text = read('/etc/os-release');
  return ['ID', 'ID_LIKE'].flatMap((key) => {
    const value = new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
    return value.split(' ').filter((word) => word !== '');
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
