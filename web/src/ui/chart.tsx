// A line over time. uPlot draws it on a canvas; a table of the same stands beside it for those who do not see it.
import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { useTheme } from './theme';

export default function Chart({ title, times, values, say }: { title: string; times: number[]; values: number[]; say: (value: number) => string }) {
  const box = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour('--ink-3'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '11px Inter, sans-serif' };
    const days = (times.at(-1) ?? 0) - (times[0] ?? 0) > 2 * 86_400;
    const when = (at: number) => new Date(at * 1000).toLocaleString('en-GB', days ? { day: 'numeric', month: 'short' } : { hour: '2-digit', minute: '2-digit' });
    const plot = new uPlot({
      width: element.clientWidth, height: 150, cursor: { show: false }, legend: { show: false }, padding: [8, 20, 0, 0],
      series: [{}, { stroke: colour('--accent'), width: 2, fill: colour('--accent-soft'), points: { size: 5, fill: colour('--accent') } }],
      axes: [{ ...axis, size: 26, space: 80, values: (_, ticks) => ticks.map(when) }, { ...axis, size: 64, values: (_, ticks) => ticks.map(say) }],
      scales: { y: { range: (_, __, max) => [0, max * 1.1 || 1] } },
    }, [times, values], element);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: 150 }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [times, values, say, theme]);
  const last = values.at(-1) ?? 0;
  return (
    <figure>
      <figcaption className="small quiet">{title}<span className="sr-only">: {values.length} runs, the last one {say(last)}</span></figcaption>
      <div ref={box} className="chart" aria-hidden="true" />
    </figure>
  );
}
