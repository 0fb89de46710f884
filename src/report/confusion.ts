import { escapeText } from './svg.js';

/** A confusion matrix as a table: rows are labels, columns what the device said. Wrong cells are shaded by their share of the row. */
export function confusionTable(confusion: ArrayLike<number>, classes: readonly string[]): string {
  const n = classes.length;
  const head = `<tr><th></th>${classes.map((c) => `<th scope="col">${escapeText(c)}</th>`).join('')}</tr>`;
  const rows = classes.map((name, label) => {
    let total = 0;
    for (let c = 0; c < n; c++) total += confusion[label * n + c]!;
    const cells = classes.map((_, c) => {
      const count = confusion[label * n + c]!;
      const share = total === 0 ? 0 : count / total;
      const style = c === label ? '' : ` style="background:rgba(200,60,40,${Math.min(1, 6 * share).toFixed(2)})"`;
      return `<td class="${c === label ? 'right' : 'wrong'}"${style}>${count === 0 ? '' : count}</td>`;
    });
    return `<tr><th scope="row">${escapeText(name)}</th>${cells.join('')}</tr>`;
  });
  return `<table class="confusion">${head}${rows.join('')}</table>`;
}
