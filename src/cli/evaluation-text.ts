import type { Evaluation } from '../device/evaluation.js';

/** An evaluation as JSON: the confusion matrix as rows, one per label. */
export function evaluationJson(evaluation: Evaluation, classes: readonly string[]): Record<string, unknown> {
  const { count, error, falseReject, falseAccept, novel } = evaluation;
  return {
    count,
    error,
    falseReject,
    falseAccept,
    novel,
    classes,
    confusion: confusionRows(evaluation, classes.length),
  };
}

/** An evaluation for a terminal: the rates, and the confusion matrix where it fits. */
export function evaluationText(evaluation: Evaluation, classes: readonly string[]): string {
  const rate = (value: number): string => `${value.toFixed(2)}%`.padStart(8);
  const lines = [
    `samples      ${String(evaluation.count).padStart(8)}`,
    `error        ${rate(evaluation.error)}`,
    `false reject ${rate(evaluation.falseReject)}`,
    `false accept ${rate(evaluation.falseAccept)}`,
    `novel        ${rate(evaluation.novel)}`,
  ];
  if (classes.length > 16) return lines.join('\n');
  const names = classes.map((name) => name.slice(0, 10));
  const rows = confusionRows(evaluation, classes.length);
  const width = Math.max(...names.map((name) => name.length), ...rows.flat().map((n) => String(n).length)) + 1;
  const label = Math.max(...names.map((name) => name.length));
  const row = (head: string, cells: readonly (string | number)[]): string =>
    head.padEnd(label) + cells.map((cell) => String(cell).padStart(width)).join('');
  lines.push('', 'rows: label, columns: class', row('', names), ...rows.map((cells, c) => row(names[c]!, cells)));
  return lines.join('\n');
}

function confusionRows({ confusion }: Evaluation, classes: number): number[][] {
  return Array.from({ length: classes }, (_, c) => [...confusion.subarray(c * classes, (c + 1) * classes)]);
}
