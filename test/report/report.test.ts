import { describe, expect, it } from 'vitest';
import type { LoopResult } from '../../src/loop/result.js';
import { confusionTable } from '../../src/report/confusion.js';
import { errorChart } from '../../src/report/error-chart.js';
import { histogram } from '../../src/report/histogram.js';
import { escapeText, ticks } from '../../src/report/svg.js';

const RESULT: LoopResult = {
  dataset: 'd',
  layers: '4-3',
  seed: 1,
  train: { backend: 'wasm', epochs: 1, seconds: 1, testError: 2 },
  quantized: { bits: [8], testError: 2, falseReject: 3, falseAccept: 3, imageBytes: 100 },
  device: { target: 'wasm', ram: { weights: 1, inference: 2, learning: 3, statistics: 4 } },
  shift: 'none',
  frozenError: 20,
  learn: [{ samples: 10, error: 15, falseAccept: 1 }],
  syncs: [
    {
      atSamples: 10,
      bytesUp: 1,
      bytesDown: 2,
      steps: 3,
      errorBefore: 15,
      error: 5,
      controlError: 6,
      falseAccept: 2,
      cleanError: 4,
    },
  ],
  parity: { samples: 1, mismatches: 0 },
};

describe('the chart of errors', () => {
  it('has a point for the frozen device, each look, and before and after each sync, and one for the control', () => {
    const chart = errorChart(RESULT);
    expect(chart.match(/<circle class="device"[^>]*><title>/g)).toHaveLength(4);
    expect(chart.match(/<circle class="control"[^>]*><title>/g)).toHaveLength(1);
    expect(chart).not.toMatch(/NaN|Infinity/);
  });

  it('explains its marks inside the picture', () => {
    const chart = errorChart(RESULT);
    expect(chart).toMatch(/^<svg.*<\/svg>$/s);
    for (const [mark, words] of [
      ['circle class="device"', 'the device'],
      ['line class="frozen"', 'if it had not learned'],
      ['circle class="control"', 'the same sync for a device that learned nothing'],
      ['circle class="clean"', 'after the sync, on data without the shift'],
    ]) {
      expect(chart).toMatch(new RegExp(`<${mark}[^>]*/><text[^>]*>${words}</text>`));
    }
  });

  it('draws a device that never learned', () => {
    expect(errorChart({ ...RESULT, learn: [], syncs: [], frozenError: 0 })).not.toMatch(/NaN|Infinity/);
  });
});

describe('a histogram', () => {
  it('counts each score once, those beyond the scale in the last bin', () => {
    const svg = histogram({ title: 't', own: [0.1, 0.1, 99], rival: [] });
    expect(svg.match(/<rect class="own"/g)).toHaveLength(2);
  });

  it('can be empty', () => {
    expect(histogram({ title: 't', own: [], rival: [] })).not.toMatch(/NaN|Infinity/);
  });
});

describe('a confusion matrix', () => {
  it('has a row per label and hides no class name', () => {
    const html = confusionTable([3, 1, 0, 4], ['<b>', 'two']);
    expect(html.match(/<tr>/g)).toHaveLength(3);
    expect(html).toContain(escapeText('<b>'));
    expect(html).not.toContain('<b>');
  });
});

describe('ticks', () => {
  it('are round, begin at 0 and reach no further than asked', () => {
    expect(ticks(23)).toEqual([0, 5, 10, 15, 20]);
    expect(ticks(1000)).toEqual([0, 200, 400, 600, 800, 1000]);
  });
});
