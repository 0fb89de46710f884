import { join } from 'node:path';
import { BOARDS } from './boards/boards.js';
import { PACKAGE_ROOT } from './boards/firmware.js';

/** Where the rules go. */
export const UDEV_FILE = '/etc/udev/rules.d/60-goodness.rules';

/** The same text in this package. */
export const UDEV_SOURCE = join(PACKAGE_ROOT, 'firmware/60-goodness.rules');

/**
 * Rules for udev, made from the boards' data: whoever sits at the machine may use their ports, and ModemManager leaves them alone.
 * firmware/60-goodness.rules is this text.
 */
export function udevRules(): string {
  const names = new Map<string, Set<string>>();
  for (const { usb } of BOARDS) {
    for (const { vendor, product, name } of usb) {
      const key = `${vendor}:${product}`;
      names.set(key, (names.get(key) ?? new Set()).add(name));
    }
  }
  const lines = [...names.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, called]) => {
      const [vendor, product] = id.split(':');
      return (
        `# ${[...called].join('; ')}\n` +
        `SUBSYSTEM=="tty", ATTRS{idVendor}=="${vendor}", ATTRS{idProduct}=="${product}", TAG+="uaccess", ENV{ID_MM_DEVICE_IGNORE}="1"`
      );
    });
  return [
    '# Serial ports of boards that Goodness knows: usable by whoever sits at the machine, and no business of ModemManager.',
    `# Install as ${UDEV_FILE}, then: udevadm control --reload && udevadm trigger --subsystem-match=tty`,
    ...lines,
    '',
  ].join('\n');
}
