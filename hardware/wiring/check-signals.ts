/** Signals: levels, analog pins, serial lines that are crossed, contacts without a pull-up, loops and buses without the
 *  resistor at their end. */
import { type Build, type End, endOf, type Net, ohmsOf } from "./build.ts";
import { type Finding, finding } from "./finding.ts";
import { netVolts, outputVoltsOf } from "./volts.ts";

/** Nets of a profile that the firmware reads as a share of the supply. */
const ANALOG_NETS: readonly string[] = ["battery", "chamber", "thermistor", "loop"];
/** Nets that end in a resistor to ground, so that a cut wire is not rest. */
const LOOP_NETS: readonly string[] = ["loop", "thermistor"];
const INPUT_ROLES: readonly string[] = ["io", "input-only", "uart-in"];

interface WiredNet extends Net {
  readonly at: readonly End[];
  readonly volts: number;
}

/** What an end takes without damage, volts; undefined where it is no input. */
function toleranceOf(build: Build, { ref, part, pin }: End): number | undefined {
  if (part === undefined || pin === undefined) return undefined;
  if (pin.role === "load") return pin.maxVolts?.value;
  if (!INPUT_ROLES.includes(pin.role)) return undefined;
  const outputVolts = outputVoltsOf(build, ref, part);
  // a part that nothing feeds is a finding of its own
  if (outputVolts === 0) return undefined;
  return pin.maxVolts?.value ?? part.inputMaxVolts?.value ?? outputVolts + 0.3;
}

/** Level of a net when one of its controller pins is high. */
function highOf(build: Build, net: WiredNet): number {
  const outputs = net.at.flatMap(({ ref, part, pin }) =>
    pin?.role === "io" && part !== undefined && isDriven(net) ? outputVoltsOf(build, ref, part) : [],
  );
  return Math.max(net.volts, ...outputs);
}

/** The controller drives a net with a load, a listening UART or a reset in it. */
function isDriven(net: WiredNet): boolean {
  return net.at.some(({ pin }) => pin !== undefined && ["load", "uart-in", "reset"].includes(pin.role));
}

function checkLevels(build: Build, net: WiredNet): Finding[] {
  const high = highOf(build, net);
  return net.at.flatMap((end) => {
    const takes = toleranceOf(build, end);
    if (takes === undefined || high <= takes + 1e-6) return [];
    const says = `${end.text} takes ${takes.toFixed(1)} V and "${net.name}" can have ${high.toFixed(1)} V: divide it, or shift the level`;
    return finding(build, "level", { net: net.name, pins: [end.text] }, says);
  });
}

function checkAnalog(build: Build, net: WiredNet): Finding[] {
  if (!ANALOG_NETS.includes(net.name)) return [];
  return net.at.flatMap(({ ref, text, pin }) => {
    if (ref !== build.controller || pin === undefined || pin.isAnalog === true) return [];
    const says = `${text} cannot measure, and "${net.name}" is analog: take an analog pin`;
    return finding(build, "adc", { net: net.name, pins: [text] }, says);
  });
}

/** "rx" leads from what speaks to the controller, "tx" from the controller to what listens. */
function checkUart(build: Build, net: WiredNet): Finding[] {
  const outs = net.at.filter(({ pin }) => pin?.role === "uart-out");
  const ins = net.at.filter(({ pin }) => pin?.role === "uart-in");
  const own = net.at.filter(({ ref }) => ref === build.controller);
  if (outs.length + ins.length === 0) return [];
  const isListening = net.name === "rx";
  const isRight = isListening ? outs.length === 1 && ins.length === 0 : outs.length === 0;
  const canBoard = own.every(
    ({ pin }) => (pin?.uart ?? (isListening ? "in" : "out")) === (isListening ? "in" : "out"),
  );
  if (isRight && canBoard && own.length === 1) return [];
  const pins = [...own, ...outs, ...ins].map(({ text }) => text);
  const says = `"${net.name}" joins ${pins.join(", ")}: one side has to speak and the other to listen; cross rx and tx`;
  return [finding(build, "uart-crossed", { net: net.name, pins }, says)];
}

function checkBusPair(build: Build, net: WiredNet): Finding[] {
  const roles = new Set(
    net.at.map(({ pin }) => pin?.role).filter((role) => role === "bus-a" || role === "bus-b"),
  );
  if (roles.size < 2) return [];
  const pins = net.at
    .filter(({ pin }) => pin?.role === "bus-a" || pin?.role === "bus-b")
    .map(({ text }) => text);
  return [
    finding(build, "bus-crossed", { net: net.name, pins }, `${pins.join(" and ")}: join A to A and B to B`),
  ];
}

function checkUsb(build: Build, net: WiredNet): Finding[] {
  const hosts = net.at.filter(({ pin }) => pin?.role === "usb-host");
  const devices = net.at.filter(({ pin }) => pin?.role === "usb-device");
  if (hosts.length + devices.length === 0 || (hosts.length === 1 && devices.length === 1)) return [];
  const pins = [...hosts, ...devices].map(({ text }) => text);
  return [
    finding(
      build,
      "usb",
      { net: net.name, pins },
      `a USB cable joins one host and one device, not ${pins.join(", ")}`,
    ),
  ];
}

/** Nets that resistors alone lead to from here. */
function reach(nets: readonly WiredNet[], build: Build, from: WiredNet): Set<WiredNet> {
  const reached = new Set([from]);
  for (const net of reached)
    for (const { ref, mounted } of net.at) {
      if (mounted === undefined || ohmsOf(mounted) === undefined) continue;
      // a supply feeds everything: the way through it is no way
      if (net !== from && net.at.some(({ pin }) => pin?.role === "supply-out" || pin?.role === "ground"))
        continue;
      for (const other of nets)
        if (other.at.some((end) => end.ref === ref && endOf(build, end.text).mounted !== undefined))
          reached.add(other);
    }
  return reached;
}

/** A contact that is open must not leave its input to chance. */
function checkPulls(build: Build, nets: readonly WiredNet[], net: WiredNet): Finding[] {
  const own = net.at.find(
    ({ ref, pin }) => ref === build.controller && pin !== undefined && INPUT_ROLES.includes(pin.role),
  );
  const isContact = net.at.some(
    ({ part, pinName, ref }) => part?.isContact === true || (ref !== build.controller && pinName === "LOST"),
  );
  const isLoop = LOOP_NETS.includes(net.name);
  if (own === undefined || !(isContact || isLoop)) return [];
  const reached = [...reach(nets, build, net)];
  const found: Finding[] = [];
  const isPulled = reached.some(({ at }) => at.some(({ pin }) => pin?.role === "supply-out"));
  if (!isPulled && (isLoop || own.pin?.hasPullUp !== true))
    found.push(
      finding(
        build,
        "pull-missing",
        { net: net.name, pins: [own.text] },
        `${own.text} has nothing that pulls "${net.name}" up: a resistor to the supply`,
      ),
    );
  const isEnded = reached.some(({ at }) => at.some(({ pin }) => pin?.role === "ground"));
  if (isLoop && !isEnded)
    found.push(
      finding(
        build,
        "eol-missing",
        { net: net.name, pins: [own.text] },
        `"${net.name}" has no resistor to ground at its far end: a cut wire would look like rest`,
      ),
    );
  return found;
}

/** A pair that leaves the box needs its resistor across A and B. */
function checkBusEnd(build: Build, net: WiredNet): Finding[] {
  const end = net.at.find(({ mounted, pin }) => mounted?.use === "busTerminal" && pin?.role === "bus-a");
  if (end === undefined) return [];
  const other = build.nets.find(({ ends }) => ends.includes(`${end.ref}.B`));
  const isEnded = net.at.some(
    ({ ref, mounted }) => mounted?.ohms === 120 && other?.ends.some((text) => endOf(build, text).ref === ref),
  );
  if (isEnded) return [];
  const pins = [end.text, `${end.ref}.B`];
  return [
    finding(
      build,
      "eol-missing",
      { net: net.name, pins },
      `no 120 Ω across ${pins.join(" and ")}: the line would echo`,
    ),
  ];
}

/** Findings about signals. */
export function checkSignals(build: Build): Finding[] {
  const volts = netVolts(build);
  const nets = build.nets.map((net, i) => ({
    ...net,
    at: net.ends.map((text) => endOf(build, text)),
    volts: volts[i] ?? 0,
  }));
  return nets.flatMap((net) => [
    ...checkLevels(build, net),
    ...checkAnalog(build, net),
    ...checkUart(build, net),
    ...checkBusPair(build, net),
    ...checkUsb(build, net),
    ...checkPulls(build, nets, net),
    ...checkBusEnd(build, net),
  ]);
}
