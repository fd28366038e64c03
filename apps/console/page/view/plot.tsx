/** Lines over time, drawn by uPlot; it is made anew when its lines change, and goes with the view. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { PlacedExemplar, PlotData } from '../model/plot-query.ts';
import { line as oneLine } from '../model/text.ts';
import { onColours } from './theme.ts';

export interface PlotProps {
  readonly data: PlotData;
  readonly label: string;
  readonly write: (value: number) => string;
  readonly exemplars: readonly PlacedExemplar[];
  /** The point under the pointer, by its place in `data.times`; undefined where it has gone. */
  readonly onPoint: (at: number | undefined) => void;
  /** A click: an exemplar, or a moment (Unix milliseconds) and a value. */
  readonly onPick: (picked: PlacedExemplar | { readonly time: number; readonly value: number }) => void;
}

export const LINE_COLOURS = 8;
const HEIGHT = 280;
const NEAR_PX = 14;
const DASHES: readonly (number[] | undefined)[] = [undefined, [6, 4], [2, 3]];

export function Plot(props: PlotProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const now = useRef(props);
  now.current = props;
  const names = props.data.lines.map(({ name }) => name).join('\0');
  useEffect(() => {
    const { current } = box;
    if (current === null) return undefined;
    const make = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(current, now), alignedOf(now.current.data), current);
    };
    make();
    const observer = new ResizeObserver(() => {
      plot.current?.setSize({ width: Math.max(50, current.clientWidth), height: HEIGHT });
    });
    observer.observe(current);
    const forget = onColours(make);
    return () => {
      forget();
      observer.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [names]);
  useEffect(() => {
    plot.current?.setData(alignedOf(props.data));
  }, [props.data, props.exemplars]);
  return <div class="plot" ref={box} role="img" aria-label={props.label} />;
}

function alignedOf({ times, lines }: PlotData): uPlot.AlignedData {
  return [times.map((time) => time / 1000), ...lines.map(({ values }) => [...values])] as uPlot.AlignedData;
}

function optionsOf(box: HTMLElement, now: { readonly current: PlotProps }): uPlot.Options {
  const colour = coloursOf(box);
  const axis = {
    stroke: colour('--plot-text'),
    grid: { stroke: colour('--plot-grid'), width: 1 },
    ticks: { show: false },
    font: `11px ${getComputedStyle(box).fontFamily}`,
  } satisfies uPlot.Axis;
  return {
    width: Math.max(50, box.clientWidth),
    height: HEIGHT,
    padding: [12, 28, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { size: 6 } },
    scales: { x: { time: true }, y: { range: (_, low, high) => rangeOf(low, high) } },
    axes: [
      { ...axis, space: 90, size: 30, values: (_, splits) => splits.map(clockOf) },
      { ...axis, size: 68, values: (_, splits) => splits.map((value) => now.current.write(value)) },
    ],
    series: [
      {},
      ...now.current.data.lines.map(
        ({ name }, at): uPlot.Series => ({
          label: oneLine(name, 80),
          stroke: colour(`--line-${at % LINE_COLOURS}`),
          width: 1.75,
          dash: DASHES[Math.floor(at / LINE_COLOURS) % DASHES.length],
          points: { show: false },
          spanGaps: false,
        }),
      ),
    ],
    hooks: {
      draw: [(plot) => drawExemplars(plot, now.current.exemplars, colour('--exemplar'), colour('--surface'))],
      setCursor: [({ cursor }) => now.current.onPoint(cursor.idx ?? undefined)],
      ready: [(plot) => plot.over.addEventListener('click', () => pick(plot, now.current))],
    },
  };
}

/** A canvas takes no `light-dark()`: what it comes to at the moment is asked of an element. */
function coloursOf(box: HTMLElement): (name: string) => string {
  return (name) => {
    const probe = document.createElement('span');
    probe.style.color = `var(${name})`;
    box.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}

function rangeOf(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const top = Math.max(high, 0);
  const bottom = Math.min(low, 0);
  return [bottom, top === bottom ? bottom + 1 : top + (top - bottom) * 0.08];
}

function clockOf(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
}

/** Where an exemplar stands, in CSS pixels of the plot; undefined outside of it. */
function placeOf(
  plot: uPlot,
  { time, value }: { readonly time: number; readonly value: number },
): { x: number; y: number } | undefined {
  const x = plot.valToPos(time / 1000, 'x');
  const y = Math.max(4, plot.valToPos(value, 'y'));
  return x < 0 || x > plot.over.clientWidth || !Number.isFinite(y) ? undefined : { x, y };
}

function drawExemplars(plot: uPlot, exemplars: readonly PlacedExemplar[], colour: string, ground: string): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  ctx.save();
  for (const exemplar of exemplars) {
    const place = placeOf(plot, exemplar);
    if (place === undefined) continue;
    const [x, y, size] = [bbox.left + place.x * scale, bbox.top + place.y * scale, 5 * scale];
    ctx.beginPath();
    ctx.moveTo(x, y - size);
    ctx.lineTo(x + size, y);
    ctx.lineTo(x, y + size);
    ctx.lineTo(x - size, y);
    ctx.closePath();
    ctx.fillStyle = colour;
    ctx.strokeStyle = ground;
    ctx.lineWidth = 1.5 * scale;
    ctx.fill();
    ctx.stroke();
  }
  ctx.restore();
}

function pick(plot: uPlot, { exemplars, onPick }: PlotProps): void {
  const { left = -1, top = -1 } = plot.cursor;
  if (left < 0 || top < 0) return;
  let nearest: PlacedExemplar | undefined;
  let least = NEAR_PX;
  for (const exemplar of exemplars) {
    const place = placeOf(plot, exemplar);
    const away = place === undefined ? Number.POSITIVE_INFINITY : Math.hypot(place.x - left, place.y - top);
    if (away < least) [nearest, least] = [exemplar, away];
  }
  onPick(nearest ?? { time: plot.posToVal(left, 'x') * 1000, value: plot.posToVal(top, 'y') });
}
