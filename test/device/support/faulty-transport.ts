/** The line of the link bench, which loses, flips, doubles and holds up bytes. */
export { FAULTS, type Fault, FaultyTransport } from '../../../bench/faulty-line.js';
