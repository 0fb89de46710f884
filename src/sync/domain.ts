import { Random } from '../base/random.js';
import type { Dataset, Geometry } from '../data/dataset.js';
import { pool as poolImages } from '../data/pool.js';
import { APPEARANCES, type Appearance, PLAIN } from './appearance.js';
import { type Flow, fitFlow } from './flow.js';
import { distance, type MomentImages, type MomentTarget, momentTarget, predict } from './moment-images.js';
import { MomentLibrary } from './moment-library.js';
import { CENTRED, evenStances, type Pose, UPRIGHT } from './pose.js';
import { type Candidate, PoseJudge } from './pose-search.js';
import { backgroundOf, FAITHFUL, type Response } from './response.js';
import { type ClassStatistics, gatherStatistics } from './statistics.js';

/** How the device's images differ from the host's: applied in the order appearance, pose, flow, response. */
export interface Domain {
  readonly appearance: Appearance;
  readonly pose: Pose;
  readonly flow?: Flow;
  readonly response: Response;
  /** Distance of predicted moments to the device's: 1 is as good as sampling allows. */
  readonly distance: number;
}

/** Above this distance something is left to be explained. */
const GOOD = 1.9;
/** A start that is this many times as far as the best one so far is given up. */
const HOPELESS = 2.5;
/** Above this distance a dense flow is tried. People come in batches: two samples of the same domain are about 2 apart. */
const FLOW_ABOVE = 3;
/** An upright pose is believed below this distance, unless another one is far better. */
const UPRIGHT_BELOW = 2.5;
const UPRIGHT_FACTOR = 1.6;
/** A flow has thousands of free numbers: it has to pay for itself by leaving at most this part of what is unexplained. */
const FLOW_MUST_LEAVE = 0.6;
/** Changes of contrast above this factor (its logarithm) make a lead cost more. */
const CONTRAST = 0.1;
const CONTRAST_COST = 1.15;
/** A number of the pose that matters less than this factor is left out. */
const SLACK = 1.08;
const FINE_STANCES = 16;
/** Spreads in degrees with which a flow is tried; undefined: the one found without a flow. */
const FLOW_SPREADS = [undefined, 0, 20, 40] as const;

interface Lead {
  readonly appearance: Appearance;
  readonly response: Response;
  readonly images: MomentImages;
  readonly candidate: Candidate;
}

/**
 * Finds the domain of a device by comparing moments of moved images with those that it sent: a random search over pose and
 * appearance on class means, then contrast, then, where much is left, a dense flow.
 * @param host images at full resolution
 * @param classes those that both sides have samples of
 * @param hides whether things may stand in the way of the device
 * @param breathe called between stages with a fraction done, to let other work run
 */
export async function findDomain(
  host: Dataset,
  device: ClassStatistics,
  classes: readonly number[],
  pool: number,
  seed: number,
  hides: boolean,
  breathe: (done: number, distance: number) => Promise<void>,
): Promise<Domain> {
  const geometry = host.geometry!;
  const random = new Random(seed);
  const library = new MomentLibrary(host, classes, pool, random);
  const coarse = momentTarget(device, classes, geometry, pool, pool === 1 && geometry.width >= 20 ? 2 : 1);
  const fine = momentTarget(device, classes, geometry, pool, 1);
  let leads: Lead[] = [];
  const explore = (response: Response, appearance: Appearance): void => {
    const images = library.rough(appearance, response);
    const judge = new PoseJudge(images, coarse, hides);
    const found = judge.explore(160, 2, random);
    for (const c of found) {
      if (leads.length > 0 && c.distance > HOPELESS * best(leads).candidate.distance) continue;
      leads.push({ appearance, response, images, candidate: judge.refine(c, 80, 0.4, random) });
    }
  };
  for (const response of responsesFor(library, device, pool)) explore(response, PLAIN);
  await breathe(0.15, best(leads).candidate.distance);
  const response = best(leads).response;
  leads = leads.filter((lead) => lead.response === response);
  const upright = judged(PLAIN, response, UPRIGHT, library, fine);
  // No shift at all is the likeliest of all shifts.
  const still = (distance: number): boolean =>
    upright.candidate.distance < Math.min(UPRIGHT_BELOW, UPRIGHT_FACTOR * distance);
  if (still(best(leads).candidate.distance)) return domainOf(upright);
  if (best(leads).candidate.distance > GOOD) {
    for (const appearance of APPEARANCES.slice(1)) explore(response, appearance);
    await breathe(0.4, best(leads).candidate.distance);
  }
  const plain = best(leads.filter((l) => l.appearance === PLAIN));
  leads = onePerAppearance(leads)
    .slice(0, 4)
    .map((lead) => refined(lead, coarse, 250, random, hides));
  await breathe(0.55, best(leads).candidate.distance);
  leads = ranked(leads)
    .slice(0, 2)
    .map((lead) => {
      const images = library.exact(lead.appearance, lead.response);
      return simplified(refined({ ...lead, images }, fine, 250, random, hides), fine);
    });
  await breathe(0.7, best(leads).candidate.distance);
  let lead = contrasted(best(leads), library, fine);
  await breathe(0.8, lead.candidate.distance);
  if (still(lead.candidate.distance)) lead = upright;
  const domain = domainOf(lead);
  if (domain.distance <= FLOW_ABOVE) return domain;
  let flowing = domain;
  // A blur or a stroke may have stood in for bends, too.
  for (const start of lead.appearance === PLAIN ? [lead] : [lead, contrasted(plain, library, fine)]) {
    for (const spread of FLOW_SPREADS) {
      const next = withFlow(spreadBy(start, spread ?? start.candidate.pose.spread, fine, random), fine, geometry, pool);
      if (next.distance < flowing.distance) flowing = next;
    }
    await breathe(0.9, flowing.distance);
  }
  return flowing.distance - 1 < FLOW_MUST_LEAVE * (domain.distance - 1) ? flowing : domain;
}

/** Responses that the background allows. */
function responsesFor(library: MomentLibrary, device: ClassStatistics, pool: number): readonly Response[] {
  const background = backgroundOf(gatherStatistics(poolImages(library.sample, pool)), device, pool);
  if (background === undefined || (background.offset === 0 && background.noise === 0)) return [FAITHFUL];
  const upright = { ...background, gain: 1 };
  return background.offset > 100 ? [upright, { ...background, gain: -1 }] : [upright];
}

/** Contrast as a response that clamps, instead of a factor that doesn't. */
function contrasted(lead: Lead, library: MomentLibrary, target: MomentTarget): Lead {
  const { appearance, candidate } = lead;
  const judge = (gain: number): { readonly gain: number; readonly distance: number } => {
    const images = library.rough(appearance, { ...lead.response, gain });
    return { gain, distance: new PoseJudge(images, target).judge(candidate.pose, 1).distance };
  };
  let found = judge(lead.response.gain * candidate.gain);
  for (const width of [0.2, 0.1, 0.05, 0.025]) {
    const centre = found.gain;
    for (const factor of [Math.exp(-width), Math.exp(width)]) {
      const next = judge(centre * factor);
      if (next.distance < found.distance) found = next;
    }
  }
  const faithful = judge(Math.sign(found.gain));
  const response = { ...lead.response, gain: faithful.distance < SLACK * found.distance ? faithful.gain : found.gain };
  return judged(appearance, response, candidate.pose, library, target);
}

/** A lead of many samples, with its contrast in the response. */
function judged(
  appearance: Appearance,
  response: Response,
  pose: Pose,
  library: MomentLibrary,
  target: MomentTarget,
): Lead {
  const images = library.exact(appearance, response);
  return { appearance, response, images, candidate: new PoseJudge(images, target).judge(pose, 1) };
}

function ranked(leads: readonly Lead[]): Lead[] {
  return [...leads].sort((a, b) => cost(a) - cost(b));
}

/** A change of contrast may stand in for half a stroke: it has to explain some more than that. */
function cost({ candidate }: Lead): number {
  return candidate.distance * (Math.abs(Math.log(candidate.gain)) > CONTRAST ? CONTRAST_COST : 1);
}

function onePerAppearance(leads: readonly Lead[]): Lead[] {
  const order = ranked(leads);
  return order.filter((lead, k) => order.findIndex((other) => other.appearance === lead.appearance) === k);
}

function best(leads: readonly Lead[]): Lead {
  return ranked(leads)[0]!;
}

function refined(lead: Lead, target: MomentTarget, count: number, random: Random, hides: boolean): Lead {
  return { ...lead, candidate: new PoseJudge(lead.images, target, hides).refine(lead.candidate, count, 0.2, random) };
}

function simplified(lead: Lead, target: MomentTarget): Lead {
  return { ...lead, candidate: new PoseJudge(lead.images, target).simplify(lead.candidate, SLACK) };
}

function domainOf(lead: Lead): Domain {
  const { appearance, response, candidate } = lead;
  return { appearance, pose: candidate.pose, response, distance: candidate.distance };
}

/** The same with another spread: a spread blurs, and may have stood in for the bends that a flow is to explain. */
function spreadBy(lead: Lead, spread: number, target: MomentTarget, random: Random): Lead {
  const pose = { ...lead.candidate.pose, spread, wander: 0 };
  const judge = new PoseJudge(lead.images, target);
  return { ...lead, candidate: judge.refine({ ...lead.candidate, pose }, 100, 0.1, random, true) };
}

function withFlow(lead: Lead, target: MomentTarget, geometry: Geometry, pool: number): Domain {
  const domain = domainOf(lead);
  // A margin, so that a flow may bring in what the pose alone has moved out of sight.
  const margin = Math.ceil(geometry.width / 3);
  const wide = { width: geometry.width + 2 * margin, height: geometry.height + 2 * margin };
  const pixels = wide.width * wide.height;
  const x = Float32Array.from({ length: pixels }, (_, k) => (k % wide.width) - margin);
  const y = Float32Array.from({ length: pixels }, (_, k) => Math.floor(k / wide.width) - margin);
  const predicted = new Float32Array(pixels * target.channels);
  const fixed = domain.pose.spread === 0 && domain.pose.wander === 0;
  predict(lead.images, domain.pose, fixed ? [CENTRED] : evenStances(FINE_STANCES), x, y, predicted);
  const sensor = { width: geometry.width / pool, height: geometry.height / pool };
  const inside = { ...target, x: target.x.map((v) => v + margin), y: target.y.map((v) => v + margin) };
  const flow = fitFlow(predicted, wide, sensor, pool, inside);
  const moved = new Float32Array(target.values.length);
  const xs = inside.x.map((v, p) => v + flow.x[p]!);
  const ys = inside.y.map((v, p) => v + flow.y[p]!);
  const flat: MomentImages = {
    geometry: wide,
    channels: target.channels,
    frame: 0,
    centre: 0,
    values: predicted,
    fill: lead.images.fill,
  };
  predict(flat, UPRIGHT, [CENTRED], xs, ys, moved);
  return { ...domain, flow, distance: distance(target, moved, lead.images.fill, 1) };
}
