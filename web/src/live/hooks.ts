import { useSyncExternalStore } from 'react';
import { runStore, type RunView } from '../run/run_store';
import type { ConnectionState } from './connection';
import { live } from './live';

export function useConnection(): ConnectionState {
  return useSyncExternalStore(live.onState, () => live.state);
}

export function useRun(runId: string): RunView {
  const store = runStore(runId);
  return useSyncExternalStore(store.subscribe, store.snapshot);
}
