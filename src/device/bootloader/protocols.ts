import { GoodnessError } from '../../base/errors.js';
import type { Board } from '../boards/board.js';
import type { Bootloader } from './bootloader.js';
import type { Stm32Wiring } from './stm32-reset.js';

export interface ProtocolOptions {
  /** How DTR and RTS are wired to reset and BOOT0 of an STM32: a name of STM32_WIRINGS; not at all if left out. */
  readonly wiring?: string;
}

/**
 * The way to put firmware on a board, by the facts that its data give. Each protocol is loaded when it is needed.
 * @throws GoodnessError `bootloader.none` for a board that has none, `board.wiring` for a wiring that is not known or not asked for
 */
export async function bootloaderFor(
  { name, bootloader: facts }: Board,
  { wiring }: ProtocolOptions = {},
): Promise<Bootloader> {
  if (wiring !== undefined && facts?.protocol !== 'stm32') {
    throw new GoodnessError('board.wiring', `${name} has no wires to choose between`, {
      fix: 'Leave the wiring out.',
    });
  }
  switch (facts?.protocol) {
    case 'stk500v1': {
      const { stk500v1 } = await import('./stk500v1.js');
      return stk500v1(facts);
    }
    case 'stk500v2': {
      const { stk500v2 } = await import('./stk500v2.js');
      return stk500v2(facts);
    }
    case 'smp': {
      const { smp } = await import('./smp.js');
      return smp({ bauds: facts.bauds });
    }
    case 'stm32': {
      const [{ stm32 }, { STM32_CHIPS }] = await Promise.all([import('./stm32.js'), import('./stm32-chips.js')]);
      return stm32({
        bauds: facts.bauds,
        chips: STM32_CHIPS.filter((chip) => facts.chips.includes(chip.id)),
        ...(wiring === undefined ? {} : { reset: await wiringOf(wiring) }),
      });
    }
    case 'uf2': {
      const { uf2 } = await import('./uf2.js');
      return uf2(facts);
    }
    case 'esp32': {
      const { esp32 } = await import('./esp32.js');
      return esp32(facts);
    }
    case undefined:
      throw new GoodnessError(
        'bootloader.none',
        `${name} has no bootloader: its firmware is a program that is started`,
        {
          fix: 'Start it, then send the model with `--firmware none`.',
        },
      );
  }
}

async function wiringOf(name: string): Promise<Stm32Wiring> {
  const wirings: Readonly<Record<string, Stm32Wiring>> = (await import('./stm32-reset.js')).STM32_WIRINGS;
  const found = Object.hasOwn(wirings, name) ? wirings[name] : undefined;
  if (found !== undefined) return found;
  throw new GoodnessError('board.wiring', 'there is no wiring of that name', {
    expected: Object.keys(wirings).join(', '),
    got: JSON.stringify(name),
  });
}
