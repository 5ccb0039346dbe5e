/** In which order the vertical tracks of a sheet stand: the one with the fewest crossings that swapping finds. */

export interface Trunk {
  readonly net: string;
  readonly pins: readonly { readonly side: "left" | "right"; readonly y: number }[];
}

/** Times a horizontal piece of one of two trunks crosses the vertical one of the other, when `a` stands left of `b`. */
function crossings(a: Trunk, b: Trunk): number {
  const range = ({ pins }: Trunk) => {
    const heights = pins.map(({ y }) => y);
    return [Math.min(...heights), Math.max(...heights)] as const;
  };
  const [aLow, aHigh] = range(a);
  const [bLow, bHigh] = range(b);
  // b's ends on the left pass a, and a's ends on the right pass b
  const overA = b.pins.filter(({ side, y }) => side === "left" && y > aLow && y < aHigh);
  const overB = a.pins.filter(({ side, y }) => side === "right" && y > bLow && y < bHigh);
  return overA.length + overB.length;
}

/** Crossings of a whole order. */
export function crossingsIn(order: readonly Trunk[]): number {
  return order.reduce(
    (sum, a, i) => sum + order.slice(i + 1).reduce((part, b) => part + crossings(a, b), 0),
    0,
  );
}

function swapped(order: readonly Trunk[], i: number, j: number): Trunk[] {
  return order.map((trunk, at) => (at === i ? order[j] : at === j ? order[i] : trunk) ?? trunk);
}

/** Orders the trunks, leftmost first: swaps pairs as long as that saves a crossing. */
export function orderTracks(trunks: readonly Trunk[]): readonly Trunk[] {
  let best: readonly Trunk[] = trunks;
  let fewest = crossingsIn(best);
  for (let isBetter = true; isBetter; ) {
    isBetter = false;
    for (let i = 0; i < best.length; i++)
      for (let j = i + 1; j < best.length; j++) {
        const next = swapped(best, i, j);
        const count = crossingsIn(next);
        if (count >= fewest) continue;
        [best, fewest, isBetter] = [next, count, true];
      }
  }
  return best;
}
