import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { GoodnessError } from '../base/errors.js';
import { parseRecipe, type Recipe } from '../train/recipe.js';
import { readWhole } from './files.js';

/**
 * Reads a recipe: JSON, or a module whose default export it is (.js, .mjs; .ts where this Node strips types).
 * @throws GoodnessError `file.read`, `train.recipe`
 */
export async function readRecipe(path: string): Promise<Recipe> {
  const bytes = await readWhole(path, 'a recipe in JSON, or a module that exports one');
  const value = ['.js', '.mjs', '.ts', '.mts'].includes(extname(path)) ? await load(path) : parse(path, bytes);
  return parseRecipe(value, path);
}

function parse(path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new GoodnessError('train.recipe', `${path} is no JSON: ${(cause as Error).message}`, {
      fix: 'Mend it there, or give a module with the extension .mjs.',
      cause,
    });
  }
}

async function load(path: string): Promise<unknown> {
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as { default?: unknown };
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    const types = cause.code === 'ERR_UNKNOWN_FILE_EXTENSION';
    throw new GoodnessError(
      'train.recipe',
      types ? `this Node does not read TypeScript` : `${path}: ${cause.message}`,
      {
        ...(types ? { expected: 'Node 22.18 or later for a recipe in TypeScript', got: process.version } : {}),
        fix: types ? 'Give the recipe as JSON or as a .mjs module.' : 'Mend it there.',
        cause,
      },
    );
  }
  if (module.default !== undefined) return module.default;
  throw new GoodnessError('train.recipe', `${path} exports no recipe`, {
    expected: 'export default { ... }',
    got: Object.keys(module).join(', ') || 'no export',
  });
}
