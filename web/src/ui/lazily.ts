// Parts of a page that are fetched when they are needed, over a line that may break meanwhile: they are
// tried again, where React would remember the first failure for good.
import { lazy, type ComponentType, type LazyExoticComponent } from 'react';

const kMostTries = 40;
const kMaxWaitMs = 5_000;

export async function insist<T>(load: () => Promise<T>, wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))): Promise<T> {
  for (let tries = 1; ; ++tries) {
    try {
      return await load();
    } catch (error) {
      // After so long it is not the line: a newer server has parts of other names.
      if (tries === kMostTries) throw error;
      await wait(Math.min(kMaxWaitMs, 250 * 2 ** Math.min(tries, 5)));
    }
  }
}

// Any props: what a part is given is its own affair.
// eslint-disable-next-line
export function lazily<T extends ComponentType<any>>(load: () => Promise<{ default: T }>): LazyExoticComponent<T> {
  return lazy(() => insist(load));
}
