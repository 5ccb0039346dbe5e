/** One virtual site: entrances (a board with the final firmware, a modem on its serial port) and gateways, with the air
 *  between them and a hub's socket at the far end. Composition only; what happens in it can be watched as one stream. */

import { createDeframer } from "../../protocols/device/frame.ts";
import { REGIONS } from "../../protocols/lorawan/regions.ts";
import { createAir } from "./air.ts";
import type { Air } from "./air-types.ts";
import type { BusPort } from "./bus.ts";
import type { Clock } from "./clock.ts";
import { createGateway, type Gateway } from "./gateway.ts";
import { lossByPosition, type Position } from "./path-loss.ts";
import { createRak3172 } from "./rak3172.ts";
import { RUI3_BANDS } from "./rak3172-settings.ts";
import type { Rak3172 } from "./rak3172-types.ts";
import { forkRandom } from "./random.ts";
import { createRs485Serial } from "./rs485-board.ts";
import { createPower, type PoweredPart } from "./site-power.ts";
import type {
  Board,
  Emit,
  EntranceOptions,
  Serial,
  Site,
  SiteEvent,
  SiteGatewayOptions,
  SiteOptions,
} from "./site-types.ts";

const ON_BATTERY = { mains: false, battery: true };
const ON_MAINS = { mains: true, battery: false };
/** The AT+BAND number under which a module built for UZ923 has that plan: RUI3 itself knows AS923 there. */
const AS923_BAND = 8;

/** Builds the site, switched off. */
export function createSite<Lamp, Storage, B extends Board<Lamp>>(
  options: SiteOptions<Lamp, Storage, B>,
): Site<Lamp, B> {
  const { clock } = options;
  const listeners: ((event: SiteEvent<Lamp>) => void)[] = [];
  const emit: Emit<Lamp> = (event) => {
    for (const listener of listeners) listener({ ...event, atMs: clock.monotonicMs() });
  };
  const air = buildAir(options, emit);
  const gateways = new Map(
    options.gateways.map((wanted) => [wanted.eui, buildGateway(options, air, wanted, emit)]),
  );
  const entrances = new Map(
    options.entrances.map((wanted) => [wanted.devEui, buildEntrance(options, air, wanted, emit)]),
  );
  const power = createPower(
    [...partsOfGateways(options, gateways), ...partsOfEntrances(options, entrances)],
    (part, on) => emit({ type: "power", part, on }),
  );
  const boardOf = (devEui: string) => of(entrances, devEui).board;
  const push = (devEui: string, pressed: boolean) => {
    emit({ type: "button", devEui, pressed });
    if (pressed) boardOf(devEui).press();
    else boardOf(devEui).release();
  };
  return {
    air,
    gateways,
    boards: new Map([...entrances].map(([devEui, { board }]) => [devEui, board])),
    modems: new Map([...entrances].flatMap(([devEui, { modem }]) => (modem ? [[devEui, modem]] : []))),
    lamp: (devEui) => boardOf(devEui).lamp(),
    onEvent: (listener) => void listeners.push(listener),
    ...power,
    hold: (devEui) => push(devEui, true),
    release: (devEui) => push(devEui, false),
    press(devEui, ms) {
      push(devEui, true);
      return new Promise((released) => {
        clock.setTimer(() => {
          push(devEui, false);
          released();
        }, ms);
      });
    },
  };
}

function buildAir<Lamp, Storage, B extends Board<Lamp>>(
  options: SiteOptions<Lamp, Storage, B>,
  emit: Emit<Lamp>,
): Air {
  const { clock, random, fadingDb = 0 } = options;
  const pathLoss = options.pathLoss ?? lossByPosition(positionsOf(options));
  const air = createAir({ clock, random: forkRandom(random), pathLoss, fadingDb });
  air.onTransmission((transmission) => emit({ type: "frame", transmission }));
  air.onOutcome(({ station, transmission, result }) => {
    if (result !== "received") emit({ type: "missed", station, transmission, reason: result });
  });
  return air;
}

interface Entrance<B> {
  readonly board: B;
  /** Null: on a bus. */
  readonly modem: Rak3172 | null;
}

function positionsOf<Lamp, Storage>({
  gateways,
  entrances,
}: SiteOptions<Lamp, Storage>): ReadonlyMap<string, Position> {
  const parts = [
    ...gateways.map((g) => [g.eui, g.position] as const),
    ...entrances.map((e) => [e.devEui, e.position] as const),
  ];
  return new Map(parts.flatMap(([id, position]) => (position === undefined ? [] : [[id, position]])));
}

function of<T>(parts: ReadonlyMap<string, T>, id: string): T {
  const part = parts.get(id);
  if (part === undefined)
    throw new Error(`site: nothing here is called ${id}; it has ${[...parts.keys()].join(", ")}`);
  return part;
}

function buildGateway<Lamp, Storage, B extends Board<Lamp>>(
  options: SiteOptions<Lamp, Storage, B>,
  air: Air,
  wanted: SiteGatewayOptions,
  emit: Emit<Lamp>,
): Gateway {
  const { clock, datagrams, hubAddress, region, random } = options;
  const { eui, tmstStart = 0 } = wanted;
  const shared = { clock, air, datagrams, eui, tmstStart };
  const gateway = createGateway({
    ...shared,
    hub: hubAddress,
    region: REGIONS[region],
    random: forkRandom(random),
  });
  gateway.onEvent((event) => emit({ type: "gateway", gateway: eui, event }));
  return gateway;
}

function buildEntrance<Lamp, Storage, B extends Board<Lamp>>(
  options: SiteOptions<Lamp, Storage, B>,
  air: Air,
  wanted: EntranceOptions<Storage>,
  emit: Emit<Lamp>,
): Entrance<B> {
  const { clock, random, region } = options;
  const { devEui, joinEui, appKey, storage, pins, wire } = wanted;
  const { bundle = options.bundle, role = "entrance-button" } = wanted;
  const tell = (phyPayload: Uint8Array) => emit({ type: "wireFrame", devEui, phyPayload });
  const identity = { devEui, joinEui, appKey, role, region, ...wanted.identity };
  const { modem, serial } = wire === undefined ? onRadio(options, air, wanted) : onWire(options, wire, tell);
  const given = { ...(storage !== undefined && { storage }), ...(pins !== undefined && { pins }) };
  const board = options.createBoard({
    bundle,
    identity,
    clock,
    random: forkRandom(random),
    serial,
    ...given,
  });
  board.onLamp((lamp) => emit({ type: "lamp", devEui, lamp }));
  return { board, modem };
}

/** What a board speaks through. */
interface Speaking {
  readonly modem: Rak3172 | null;
  readonly serial: Serial;
}

function onRadio<Lamp, Storage, B extends Board<Lamp>>(
  options: SiteOptions<Lamp, Storage, B>,
  air: Air,
  { devEui, modemFlash }: EntranceOptions<Storage>,
): Speaking {
  const { clock, random, region } = options;
  const modem = createRak3172({
    clock,
    air,
    random: forkRandom(random),
    bands: region === "UZ923" ? { ...RUI3_BANDS, [AS923_BAND]: "UZ923" } : RUI3_BANDS,
    onFlash: (flash) => options.onModemFlash?.(devEui, flash),
    ...(modemFlash === undefined ? {} : { flash: modemFlash }),
  });
  return { modem, serial: { write: (bytes) => modem.write(bytes), onData: modem.onData.bind(modem) } };
}

function onWire(
  { clock }: { clock: Clock },
  port: BusPort,
  tell: (phyPayload: Uint8Array) => void,
): Speaking {
  return { modem: null, serial: createRs485Serial({ clock, port: listened(port, tell) }) };
}

/** The same place on the bus; what is said from it is heard as it begins. */
function listened(port: BusPort, onPayload: (phyPayload: Uint8Array) => void): BusPort {
  const deframe = createDeframer(
    ({ type, payload }) => void (type === "data" && onPayload(payload)),
    () => undefined,
  );
  return {
    send(bytes) {
      deframe(bytes);
      port.send(bytes);
    },
    onData: (listener) => port.onData(listener),
    setPlugged: (isPlugged) => port.setPlugged(isPlugged),
  };
}

function partsOfGateways(
  options: { readonly gateways: readonly SiteGatewayOptions[] },
  gateways: ReadonlyMap<string, Gateway>,
): PoweredPart[] {
  return options.gateways.map(({ eui, supply = ON_MAINS }) => {
    const gateway = of(gateways, eui);
    return { id: eui, supply, power: (on) => (on ? gateway.powerOn() : gateway.powerOff()) };
  });
}

function partsOfEntrances<Storage>(
  options: { readonly entrances: readonly EntranceOptions<Storage>[] },
  entrances: ReadonlyMap<string, Entrance<Pick<Board<unknown>, "powerOn" | "powerOff">>>,
): PoweredPart[] {
  return options.entrances.map(({ devEui, supply = ON_BATTERY }) => {
    const { board, modem } = of(entrances, devEui);
    const power = (on: boolean) => {
      // one supply feeds both; the modem is there when the board first speaks to it
      for (const part of [modem, board]) {
        if (on) part?.powerOn();
        else part?.powerOff();
      }
    };
    return { id: devEui, supply, power };
  });
}
