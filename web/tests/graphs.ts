// The graphs of the recorded pipelines, as GET /api/pipelines/{name} gives them.
import type { Graph, GraphNode } from '../src/api/types';

const node = (step: string, level: number, more: Partial<GraphNode> = {}): GraphNode =>
  ({ step, kind: 'persona', persona: null, level, rework_only: false, optional: false, ...more });
const edges = (...pairs: [string, string][]): Graph['edges'] => pairs.map(([from, to]) => ({ from, to, kind: 'dependency', label: null }));

export const graphs: Record<string, Graph> = {
  'add-language': {
    nodes: [
      node('plan', 0, { persona: 'planner' }), node('implement', 1, { persona: 'developer' }),
      node('repair', 0, { persona: 'developer', rework_only: true }), node('document', 1, { persona: 'writer' }),
      node('pause', 2, { kind: 'gate' }), node('publish', 3, { kind: 'command' }),
    ],
    edges: [
      ...edges(['plan', 'implement'], ['plan', 'document'], ['implement', 'pause'], ['document', 'pause'], ['pause', 'publish'], ['implement', 'publish'], ['document', 'publish']),
      { from: 'implement', to: 'repair', kind: 'rework', label: null },
    ],
  },
  ship: {
    nodes: [node('draft', 0, { persona: 'writer' }), node('approve', 1, { kind: 'gate' }), node('publish', 2, { kind: 'command' })],
    edges: [
      ...edges(['draft', 'approve'], ['approve', 'publish']),
      { from: 'approve', to: 'draft', kind: 'gate', label: 'Once more' },
    ],
  },
  release: { nodes: [node('publish', 0, { kind: 'command' })], edges: [] },
  fragile: {
    nodes: [node('measure', 0, { kind: 'command' }), node('judge', 1, { kind: 'command' }), node('report', 2, { kind: 'command' })],
    edges: edges(['measure', 'judge'], ['judge', 'report']),
  },
};
