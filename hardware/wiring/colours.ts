/** Colours of wires by the net: a base, and perhaps a stripe. Their names stand at every end, so that a sheet is read
 *  without seeing colour. */

export interface WireColour {
  readonly name: string;
  readonly base: string;
  readonly stripe?: string;
}

const PAINT = {
  black: "#1a1a1a",
  red: "#d3202a",
  orange: "#f08a00",
  brown: "#7a4a21",
  yellow: "#f5d90a",
  green: "#2f9e44",
  blue: "#1c6dd0",
  violet: "#8a4fbf",
  grey: "#8d949b",
  white: "#ffffff",
  pink: "#f29bb8",
  turquoise: "#1fb5b5",
} as const;
type Paint = keyof typeof PAINT;
const USB_GREY = "#4a5560";

const BY_NET: Readonly<Record<string, readonly [Paint, Paint?]>> = {
  ground: ["black"],
  supply: ["red"],
  relaySupply: ["red"],
  clockSupply: ["white", "red"],
  cell: ["orange"],
  feed: ["brown"],
  feedReturn: ["white", "black"],
  battery: ["white", "orange"],
  button: ["white"],
  silence: ["white"],
  red: ["pink"],
  amber: ["yellow"],
  green: ["green"],
  buzzer: ["violet"],
  siren: ["violet"],
  strobe: ["turquoise"],
  sirenFeed: ["white", "red"],
  strobeFeed: ["white", "brown"],
  tamper: ["grey"],
  mainsLost: ["grey"],
  rx: ["blue"],
  tx: ["turquoise"],
  modemReset: ["white", "blue"],
  chamber: ["white", "green"],
  thermistor: ["white", "green"],
  loop: ["white", "green"],
  alarm: ["white", "violet"],
  contact: ["white", "violet"],
  busA: ["orange"],
  busB: ["white", "orange"],
  modbusA: ["blue"],
  modbusB: ["white", "blue"],
  clockData: ["green"],
  clockBeat: ["yellow"],
};

/** Colour of the wire of a net; a net of USB is a cable. Throws for a net that has none. */
export function colourOf(net: string): WireColour {
  if (net.startsWith("usb")) return { name: "USB cable", base: USB_GREY };
  const paints = BY_NET[net];
  if (paints === undefined)
    throw new Error(`wiring: the net "${net}" has no colour: give it one in the table`);
  const [base, stripe] = paints;
  if (stripe === undefined) return { name: base, base: PAINT[base] };
  return { name: `${base}-${stripe}`, base: PAINT[base], stripe: PAINT[stripe] };
}
