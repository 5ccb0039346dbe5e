/** Whose hand is on which button. Two pages may press the same one: it comes up when the last hand leaves it. */
import type { EntranceSite } from "./entrance-site.ts";

export interface Hands {
  press(client: string, entrance: string): void;
  letGo(client: string, entrance: string): void;
  /** Everything this client holds. */
  letGoOf(client: string): void;
  letGoAll(): void;
}

export function createHands(site: Pick<EntranceSite, "press" | "release">): Hands {
  const holding = new Map<string, Set<string>>();
  const letGo = (client: string, entrance: string) => {
    const hands = holding.get(entrance);
    if (!hands?.delete(client) || hands.size > 0) return;
    holding.delete(entrance);
    site.release(entrance);
  };
  const letGoWhere = (isMine: (client: string) => boolean) => {
    for (const [entrance, hands] of [...holding]) {
      for (const client of [...hands].filter(isMine)) letGo(client, entrance);
    }
  };
  return {
    letGo,
    press(client, entrance) {
      const hands = holding.get(entrance) ?? new Set();
      hands.add(client);
      holding.set(entrance, hands);
      if (hands.size === 1) site.press(entrance);
    },
    letGoOf: (client) => letGoWhere((each) => each === client),
    letGoAll: () => letGoWhere(() => true),
  };
}
