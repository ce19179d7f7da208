// The pipeline as a graph. React Flow and dagre come with this file, which is loaded when it is shown.
import '@xyflow/react/dist/base.css';
import './graph.css';
import dagre from '@dagrejs/dagre';
import {
  Background, Controls, Handle, MarkerType, Position, ReactFlow, ReactFlowProvider, useReactFlow, type Edge, type Node, type NodeProps,
} from '@xyflow/react';
import { memo, useEffect, useMemo } from 'react';
import type { Graph, GraphEdge, Step } from '../api/types';
import { Glyph, toneOf, wordOf } from '../ui/status';

const kWidth = 172;
const kHeight = 46;

interface StepData extends Record<string, unknown> {
  step: string;
  status: string;
  line: string;
}

const quietStatuses = new Set(['pending', 'ready', 'skipped', 'cancelled', 'queued']);

const StepNode = memo(function StepNode({ data }: NodeProps<Node<StepData>>) {
  const tone = toneOf(data.status);
  const look = data.status === '' ? '' : data.status === 'skipped' ? 'dim' : tone === 'bad' ? 'bad' : tone === 'ok' ? 'done' : quietStatuses.has(data.status) ? '' : 'live';
  return (
    <div className={`node tone-${tone} ${look}`}>
      <Handle type="target" position={Position.Top} isConnectable={false} />
      {data.status ? <Glyph status={data.status} size={17} /> : <Glyph status="pending" size={17} />}
      <span className="name">{data.step}</span>
      <span className="what">{data.line}</span>
      <Handle type="source" position={Position.Bottom} isConnectable={false} />
      <Handle id="back" type="source" position={Position.Right} isConnectable={false} />
      <Handle id="again" type="target" position={Position.Right} isConnectable={false} />
    </div>
  );
});

const nodeTypes = { step: StepNode };

/** Edges that other edges say already only make the picture hard to read. */
function withoutShortcuts(edges: readonly GraphEdge[]): GraphEdge[] {
  const next = new Map<string, string[]>();
  for (const edge of edges) {
    if (edge.kind === 'dependency') next.set(edge.from, [...(next.get(edge.from) ?? []), edge.to]);
  }
  const reaches = (from: string, to: string, seen: Set<string>): boolean => (next.get(from) ?? []).some((step) => {
    if (step === to) return true;
    if (seen.has(step)) return false;
    seen.add(step);
    return reaches(step, to, seen);
  });
  // Where a gate's choice goes on as the steps do anyway, one arrow is enough.
  const goesOnAnyway = (edge: GraphEdge) => edge.kind === 'gate' && (next.get(edge.from) ?? []).includes(edge.to);
  return edges.filter((edge) => edge.kind !== 'dependency' ? !goesOnAnyway(edge) :
    !(next.get(edge.from) ?? []).some((step) => step !== edge.to && reaches(step, edge.to, new Set())));
}

/** Positions depend on the graph only: nothing jumps when statuses change. */
function layOut(graph: Graph, direction: 'TB' | 'LR'): Map<string, { x: number; y: number }> {
  const g = new dagre.graphlib.Graph();
  g.setGraph({ rankdir: direction, nodesep: 18, ranksep: 40, marginx: 8, marginy: 8 });
  g.setDefaultEdgeLabel(() => ({}));
  for (const node of graph.nodes) g.setNode(node.step, { width: kWidth, height: kHeight });
  for (const edge of withoutShortcuts(graph.edges)) {
    if (edge.kind === 'dependency' || (edge.kind === 'rework' && edge.from !== edge.to)) g.setEdge(edge.from, edge.to);
  }
  dagre.layout(g);
  return new Map(graph.nodes.map((node) => {
    const at = g.node(node.step) as { x: number; y: number };
    return [node.step, { x: at.x - kWidth / 2, y: at.y - kHeight / 2 }];
  }));
}

function Flow({ graph, steps, selected, onSelect, label, direction = 'TB' }: GraphProps) {
  const places = useMemo(() => layOut(graph, direction), [graph, direction]);
  const byId = useMemo(() => new Map(steps?.map((step) => [step.step, step])), [steps]);
  const flow = useReactFlow();
  const nodes = useMemo(() => graph.nodes.map((node): Node<StepData> => {
    const step = byId.get(node.step);
    const line = [node.persona ?? node.kind, node.rework_only ? 'repairs' : '', step && step.attempt > 1 ? `attempt ${step.attempt}` : '', step && step.visit > 1 ? `visit ${step.visit}` : '']
      .filter(Boolean).join(' · ');
    return {
      id: node.step, type: 'step', position: places.get(node.step)!, width: kWidth, height: kHeight,
      data: { step: node.step, status: step?.status ?? '', line }, selected: node.step === selected, draggable: false, connectable: false,
      ariaLabel: `${node.step}${step ? `, ${wordOf(step.status)}` : ''}`,
    };
  }), [graph, places, byId, selected]);
  const edges = useMemo(() => withoutShortcuts(graph.edges).map((edge, i): Edge => {
    // What leads back goes round at the side, not through what lies between.
    const back = edge.kind !== 'dependency' && (places.get(edge.to)?.y ?? 0) <= (places.get(edge.from)?.y ?? 0) && direction === 'TB';
    const live = byId.get(edge.to)?.status === 'running';
    const kind = edge.kind === 'dependency' ? (live ? 'live' : '') : edge.kind;
    return {
      id: `${edge.from} ${edge.to} ${edge.kind} ${i}`, source: edge.from, target: edge.to, type: back ? 'smoothstep' : 'default', className: kind,
      ...(back ? { sourceHandle: 'back', targetHandle: 'again', pathOptions: { borderRadius: 12, offset: 26 } } : {}),
      focusable: false, ...(edge.label ? { label: edge.label } : {}), markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14 },
      animated: edge.kind !== 'dependency',
    };
  }), [graph, byId, places, direction]);
  useEffect(() => {
    const timer = setTimeout(() => void flow.fitView({ padding: 0.05, maxZoom: 1 }), 0);
    return () => clearTimeout(timer);
  }, [flow, graph]);
  return (
    <ReactFlow
      nodes={nodes} edges={edges} nodeTypes={nodeTypes} fitView fitViewOptions={{ padding: 0.05, maxZoom: 1 }} minZoom={0.2} maxZoom={1.6}
      nodesDraggable={false} nodesConnectable={false} edgesFocusable={false} zoomOnScroll={false} preventScrolling={false} panOnScroll={false}
      proOptions={{ hideAttribution: true }} aria-label={label} onNodeClick={(_, node) => onSelect?.(node.id)}
      onKeyDown={(event) => {
        const id = (event.target as HTMLElement).closest<HTMLElement>('.react-flow__node')?.dataset.id;
        if (id && (event.key === 'Enter' || event.key === ' ')) onSelect?.(id);
      }}
    >
      <Background gap={18} size={1} color="var(--line)" />
      <Controls showInteractive={false} />
    </ReactFlow>
  );
}

export interface GraphProps {
  graph: Graph;
  steps?: readonly Step[];
  selected?: string | undefined;
  onSelect?: (step: string) => void;
  label: string;
  direction?: 'TB' | 'LR';
}

export default function GraphView(props: GraphProps) {
  return <ReactFlowProvider><Flow {...props} /></ReactFlowProvider>;
}
