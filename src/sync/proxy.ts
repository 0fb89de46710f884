import { GoodnessError } from '../base/errors.js';
import type { Dataset } from '../data/dataset.js';
import { pool as poolImages } from '../data/pool.js';
import { type Domain, findDomain } from './domain.js';
import { matchMoments } from './moments.js';
import { withNewClasses } from './new-classes.js';
import { render } from './render.js';
import { type ClassStatistics, checkStatistics, gatherStatistics, misfit } from './statistics.js';

export interface ProxyOptions {
  /** The host's own labelled data, at full resolution. */
  readonly host: Dataset;
  /** Side of the square of pixels whose mean the device sees: 1 for full resolution. */
  readonly pool: number;
  /** What the device told, at its resolution. */
  readonly statistics: ClassStatistics;
  readonly seed: number;
  /**
   * Whether the search may explain the device by something that hides a random square of each sample; false if left out.
   * Where nothing is hidden it costs a little time.
   */
  readonly hides?: boolean;
  readonly onProgress?: (progress: ProxyProgress) => void;
}

export interface ProxyProgress {
  /** 0 to 1 */
  readonly done: number;
  /** Best distance so far; 1 is as good as sampling allows. */
  readonly misfit: number;
}

/** How a proxy was made and how good it is. */
export interface ProxyReport {
  /**
   * `geometry`: images moved, thickened or re-exposed; `flow`: bent as well; `moments`: means and deviations matched input by
   * input; `none`: the device has seen no class of which the host has samples.
   */
  readonly family: 'geometry' | 'flow' | 'moments' | 'none';
  /** What was found, for people: angles in degrees, moves in pixels, sizes as factors, offsets and noise in bytes. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Part of moment matching that was blended in, 0 to 1. */
  readonly matched: number;
  /** Squared distance between the class means of proxy and device in units of sampling noise: about 1 is perfect. */
  readonly misfit: number;
  /** The same for the untouched host data: how far the domains are apart. */
  readonly misfitBefore: number;
  /** Classes that the device has seen and the host has no samples of. */
  readonly newClasses: readonly number[];
  /** Classes that the device has not seen: the proxy assumes that they moved like the others. */
  readonly unseenClasses: readonly number[];
}

export interface Proxy {
  /** As many samples as the host has, at the device's resolution. */
  readonly data: Dataset;
  readonly report: ProxyReport;
  /** Present for images. */
  readonly domain?: Domain;
}

/** Above this misfit, geometry alone does not explain the device, and half of the moment matching is blended in. */
const MATCH_ABOVE = 4;
const MATCH_AMOUNT = 0.5;

/**
 * The host's picture of what the device sees, made of the host's own samples and the device's statistics per class.
 * @throws GoodnessError proxy.width, and those of `checkStatistics`
 */
export async function buildProxy(options: ProxyOptions): Promise<Proxy> {
  const proxy = await knownClasses(options);
  const { host, statistics, seed } = options;
  const { newClasses } = proxy.report;
  const known = host.classes.length - newClasses.length;
  const perClass = Math.ceil(host.count / Math.max(1, known));
  return { ...proxy, data: withNewClasses(proxy.data, statistics, newClasses, perClass, seed + 2) };
}

/** The proxy of the classes of which the host has samples. */
async function knownClasses(options: ProxyOptions): Promise<Proxy> {
  const { host, pool, statistics, seed } = options;
  const onProgress = options.onProgress ?? (() => {});
  checkStatistics(statistics);
  const here = poolImages(host, pool);
  if (here.width !== statistics.width || host.classes.length !== statistics.classes) {
    throw new GoodnessError('proxy.width', 'the data of the host do not fit the statistics of the device', {
      expected: `${statistics.width} inputs and ${statistics.classes} classes`,
      got: `${here.width} inputs and ${host.classes.length} classes`,
      fix: 'Use the data that the model was trained on.',
    });
  }
  const hostStatistics = gatherStatistics(here);
  const shared: number[] = [];
  const newClasses: number[] = [];
  const unseenClasses: number[] = [];
  for (let c = 0; c < statistics.classes; c++) {
    if (statistics.count[c]! > 0) (hostStatistics.count[c]! > 0 ? shared : newClasses).push(c);
    else if (hostStatistics.count[c]! > 0) unseenClasses.push(c);
  }
  const common = { newClasses, unseenClasses, misfitBefore: misfit(hostStatistics, statistics) };
  if (shared.length === 0) {
    return {
      data: here,
      report: { ...common, family: 'none', parameters: {}, matched: 0, misfit: common.misfitBefore },
    };
  }
  if (host.geometry === undefined) {
    const data = matchMoments(here, statistics, 1);
    const left = misfit(gatherStatistics(data), statistics);
    onProgress({ done: 1, misfit: left });
    return { data, report: { ...common, family: 'moments', parameters: {}, matched: 1, misfit: left } };
  }
  const domain = await findDomain(
    host,
    statistics,
    shared,
    pool,
    seed,
    options.hides ?? false,
    async (done, distance) => {
      onProgress({ done: 0.8 * done, misfit: distance });
      await new Promise<void>((resolve) => setImmediate(resolve));
    },
  );
  let data = render(host, domain, pool, seed + 1);
  let left = misfit(gatherStatistics(data), statistics);
  let matched = 0;
  if (left > MATCH_ABOVE) {
    data = matchMoments(data, statistics, MATCH_AMOUNT);
    left = misfit(gatherStatistics(data), statistics);
    matched = MATCH_AMOUNT;
  }
  onProgress({ done: 1, misfit: left });
  const family = domain.flow === undefined ? 'geometry' : 'flow';
  const parameters = parametersOf(domain, host.geometry.width);
  return {
    data: { ...data, name: `${host.name} proxy` },
    domain,
    report: { ...common, family, parameters, matched, misfit: left },
  };
}

/** The numbers of a domain in units for people; only those that differ from doing nothing. */
function parametersOf(domain: Domain, side: number): Record<string, number> {
  const { pose, appearance, response } = domain;
  const all: Record<string, readonly [value: number, nothing: number]> = {
    angle: [((((pose.angle + 180) % 360) + 360) % 360) - 180, 0],
    spread: [pose.spread, 0],
    scaleX: [Math.exp(pose.scaleX), 1],
    scaleY: [Math.exp(pose.scaleY), 1],
    shear: [pose.shear, 0],
    moveX: [pose.moveX * side, 0],
    moveY: [pose.moveY * side, 0],
    wander: [pose.wander * side, 0],
    hidden: [pose.hidden * side, 0],
    mirrored: [pose.mirrored ? 1 : 0, 0],
    stroke: [appearance.stroke, 0],
    blur: [appearance.blur, 0],
    gain: [response.gain, 1],
    offset: [response.offset, 0],
    noise: [response.noise, 0],
  };
  const told = Object.entries(all).filter(([, [value, nothing]]) => Math.abs(value - nothing) > 1e-6);
  return Object.fromEntries(told.map(([name, [value]]) => [name, Math.round(value * 1000) / 1000]));
}
