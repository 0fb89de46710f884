import type { ArgsDef } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { type Dataset, selectClasses } from '../data/dataset.js';

/** Options of commands that may use a part of the classes. */
export const CLASSES = {
  classes: {
    type: 'string',
    valueHint: 'name,name',
    description: 'Only samples of these classes; the others keep their places in the model',
  },
} as const satisfies ArgsDef;

/**
 * The samples of the classes that `text` names; all if it is absent.
 * @throws GoodnessError `usage.classes`
 */
export function chooseClasses(data: Dataset, text: string | undefined): Dataset {
  if (text === undefined) return data;
  const indices = text.split(',').map((name) => {
    const index = data.classes.indexOf(name.trim());
    if (index >= 0) return index;
    throw new GoodnessError('usage.classes', `${data.name} has no class ${JSON.stringify(name)}`, {
      expected: `some of ${data.classes.join(', ')}`,
    });
  });
  return selectClasses(data, indices);
}

/**
 * Room for classes that come later: they get groups of neurons, and no samples yet.
 * @throws GoodnessError `usage.reserve`
 */
export function reserveClasses(data: Dataset, text: string | undefined): Dataset {
  if (text === undefined) return data;
  const names = text.split(',').map((name) => name.trim());
  const double = names.find((name, k) => name === '' || data.classes.includes(name) || names.indexOf(name) !== k);
  if (double === undefined) return { ...data, classes: [...data.classes, ...names] };
  throw new GoodnessError('usage.reserve', '--reserve takes names of classes that the data do not have', {
    got: JSON.stringify(double),
  });
}
