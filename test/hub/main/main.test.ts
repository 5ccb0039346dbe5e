/** The whole hub with its real sockets, thread and child, between a gateway and a centre that are scripts. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { run } from "../../../hub/cli.ts";
import { createSystemClock } from "../../../hub/clock.ts";
import { type HubConfig, parseConfig } from "../../../hub/config.ts";
import type { HubIdentity } from "../../../hub/enrolments.ts";
import { withDeviceTables } from "../../../hub/journal/offline.ts";
import type { DeviceRow } from "../../../hub/lorawan/store.ts";
import { type Hub, startHub } from "../../../hub/main.ts";
import { askHub } from "../../../hub/status.ts";
import { encodeReport } from "../../../protocols/device/report.ts";
import { decodeStage } from "../../../protocols/device/stage.ts";
import { createAesKey, cryptFrmPayload, sealDataFrame } from "../../../protocols/lorawan/crypto.ts";
import { decodePhyPayload } from "../../../protocols/lorawan/phy.ts";
import { decodeSemtech, encodeSemtech } from "../../../protocols/semtech-udp.ts";
import { GENESIS, HUB, PRIVATE_KEY_PEM, REALM } from "../journal/fixture.ts";
import { hubLink, RECEIPT_KEY, type ScriptedCentre, startScriptedCentre } from "../relay/scripted-centre.ts";

const DEVICE = "70b3d57ed0000001";
const DEV_ADDR = "00a1b2c3";
const NWK = "01".repeat(16);
const APP = "02".repeat(16);
const GATEWAY = "0016c001f1500001";

const device: DeviceRow = {
  devEui: DEVICE,
  joinEui: "0000000000000001",
  appKey: "03".repeat(16),
  macVersion: "1.0.4",
  deviceClass: "A",
  name: "Entrance 2",
  place: { site: "Chilonzor 9", zone: "Entrance 2" },
  intervalS: 3600,
  allowModes: ["real", "test", "drill", "commissioning"],
  usedDevNonces: [],
  lastDevNonce: 0,
  joinNonce: 1,
  session: {
    devAddr: DEV_ADDR,
    nwkSKey: NWK,
    appSKey: APP,
    fCntUp: -1,
    fCntDown: 0,
    fCntDownReserved: 0,
    rx1DrOffset: 0,
    rx2DataRate: 0,
    rxDelayS: 1,
    dataRate: 5,
    txPowerIndex: 0,
    nbTrans: 1,
    channelsHz: [433_175_000, 433_375_000, 433_575_000],
  },
  pendingSession: null,
};

let dir: string;
let centre: ScriptedCentre;
let hub: Hub | undefined;
let gateway: Socket;
let logged: string[];
const config: HubConfig = parseConfig(
  "region: EU433\nsemtechUdp: { port: 0 }\nbroker: { port: 0 }\ncentre: { pollS: 1 }",
  "hub.yaml",
);

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), "tugma-hub-"));
  logged = [];
  centre = await startScriptedCentre();
  gateway = createSocket("udp4").bind(0, "127.0.0.1");
  await once(gateway, "listening");
});
afterEach(async () => {
  await hub?.stop();
  hub = undefined;
  gateway.close();
  await centre.close();
  rmSync(dir, { recursive: true });
});

function identity(): HubIdentity {
  const { host, port, caPem, certificatePem, privateKeyPem } = hubLink(centre.port);
  const { publicKey: receiptPublicKey, alg: receiptAlg } = RECEIPT_KEY;
  const enrolment = {
    version: 1,
    realm: REALM,
    hub: HUB,
    hubPublicKey: "",
    hubAlg: -19,
    centre: "test",
    receiptPublicKey,
    receiptAlg,
    issuedMs: 0,
    fromSequence: 1,
  } as const;
  const access = { realm: REALM, receiptPublicKey, receiptAlg, mqttHost: host, mqttPort: port };
  return {
    hub: HUB,
    realm: REALM,
    genesis: GENESIS,
    signingKeyPem: PRIVATE_KEY_PEM,
    tlsKeyPem: privateKeyPem,
    centres: [{ name: "main", enrolment, hash: GENESIS, access, caPem, certificatePem }],
  };
}

async function start(change: Partial<Parameters<typeof startHub>[0]> = {}): Promise<Hub> {
  const note = (_: object, event: string) => void logged.push(event);
  const log = { debug: () => undefined, info: note, warn: note, error: note };
  hub = await startHub({ dir, config, clock: createSystemClock(), log, identity: identity(), ...change });
  return hub;
}

const keys = { nwkSKey: createAesKey(NWK), appSKey: createAesKey(APP) };

function pressFrame(fCnt32: number, eventNumber: number): Uint8Array {
  const payload = encodeReport({
    kind: "panic",
    mode: "real",
    tamperOpen: false,
    batteryLow: false,
    mainsLost: false,
    deviceFault: false,
    eventNumber,
    ageS: 0,
    batteryPercent: 90,
    detail: 10,
  });
  const fCtrl = { adr: false, adrAckReq: false, ack: false, fPending: false };
  return sealDataFrame(keys, {
    mType: "confirmedDataUp",
    devAddr: DEV_ADDR,
    fCtrl,
    fCnt32,
    fOpts: "",
    fPort: 2,
    payload,
  });
}

/** Sends as the gateway does: keeps the way down open, then the frame. */
function transmit(udpPort: number, phyPayload: Uint8Array): void {
  const rxpk = {
    phyPayload,
    tmst: Math.round(performance.now() * 1000) >>> 0,
    frequencyHz: 433_175_000,
    channel: 0,
    rfChain: 0,
    crc: "ok",
    dataRate: "SF7BW125",
    codingRate: "4/5",
    rssiDbm: -80,
    snrDb: 7,
  } as const;
  const common = { version: 2, gateway: GATEWAY } as const;
  gateway.send(encodeSemtech({ type: "pullData", token: 1, ...common }), udpPort, "127.0.0.1");
  gateway.send(
    encodeSemtech({ type: "pushData", token: 2, ...common, rxpk: [rxpk], stat: null }),
    udpPort,
    "127.0.0.1",
  );
}

async function nextDownlink() {
  for (;;) {
    const [bytes, from] = (await once(gateway, "message")) as [Buffer, RemoteInfo];
    const packet = decodeSemtech(new Uint8Array(bytes));
    if (packet.type !== "pullResp") continue;
    const { token, version } = packet;
    const ack = { type: "txAck", token, version, gateway: GATEWAY, error: null, warn: null } as const;
    gateway.send(encodeSemtech(ack), from.port, from.address);
    const frame = decodePhyPayload(packet.txpk.phyPayload);
    if (frame.mType !== "unconfirmedDataDown" && frame.mType !== "confirmedDataDown") continue;
    const hex = Uint8Array.from(Buffer.from(frame.frmPayload, "hex"));
    const plain =
      frame.fPort === 2 ? cryptFrmPayload(keys.appSKey, "down", DEV_ADDR, frame.fCnt16, hex) : null;
    return { ack: frame.fCtrl.ack, stage: plain && decodeStage(plain) };
  }
}

describe("a hub", () => {
  test("takes a press from the gateway to the centre, and its first answer says received", async () => {
    withDeviceTables(path.join(dir, "journal.sqlite"), (tables) => tables.saveDevice(device));
    const { udpPort, journal } = await start();
    await centre.until(() => centre.polls.length > 0);
    const down = nextDownlink();
    transmit(udpPort, pressFrame(0, 41));
    expect(await down).toEqual({ ack: true, stage: { stage: "received", eventNumber: 41 } });
    const kinds = (await journal.read(0, 10)).map(({ event }) => event.kind);
    expect(kinds).toEqual(["hubStarted", "panic"]);
    expect(journal.cursor("main")).toBe(2);
  });

  test("with its centre out of reach says stored, and received once the centre is back", async () => {
    withDeviceTables(path.join(dir, "journal.sqlite"), (tables) => tables.saveDevice(device));
    centre.cut(true);
    const { udpPort, journal } = await start();
    const first = nextDownlink();
    transmit(udpPort, pressFrame(0, 41));
    expect(await first).toMatchObject({ stage: { stage: "stored" } });
    centre.restore();
    await expect.poll(() => journal.cursor("main"), { timeout: 10_000 }).toBe(2);
    const second = nextDownlink();
    transmit(udpPort, pressFrame(1, 41));
    expect(await second).toMatchObject({ stage: { stage: "received", eventNumber: 41 } });
  });

  test("knows after a restart what it had acknowledged, under the next boot number", async () => {
    withDeviceTables(path.join(dir, "journal.sqlite"), (tables) => tables.saveDevice(device));
    const first = await start();
    const down = nextDownlink();
    transmit(first.udpPort, pressFrame(5, 41));
    await down;
    await first.stop();
    const second = await start();
    expect(second.status().head.boot).toBe(2);
    const repeat = nextDownlink();
    transmit(second.udpPort, pressFrame(6, 41));
    expect(await repeat).toMatchObject({ stage: { stage: "received", eventNumber: 41 } });
    const panics = (await second.journal.read(0, 100)).filter(({ event }) => event.kind === "panic");
    expect(panics).toHaveLength(1);
  });

  test("that boots in 1970 connects and delivers, and says how little it knows of the time", async () => {
    const real = createSystemClock();
    const since = Date.now();
    const { journal } = await start({ clock: { ...real, wallMs: () => Date.now() - since } });
    await centre.until(() => centre.records.length > 0);
    expect((await journal.record(1))?.event.time).toMatchObject({ source: "none" });
  });

  test("adds and removes devices while it runs, and its socket says so", async () => {
    const { addDevices, listDevices, removeDevice } = await start();
    const { devEui, joinEui, appKey, name, place } = device;
    expect(await addDevices([{ devEui, joinEui, appKey, name, place }])).toEqual({ added: 1 });
    await expect(addDevices([{ devEui, joinEui, appKey, name, place }])).rejects.toThrow(/here already/);
    const shown = await askHub(path.join(dir, "status.sock"), "GET", "/devices");
    expect(shown).toEqual(listDevices());
    expect(JSON.stringify(shown)).not.toContain(appKey);
    expect(await removeDevice(devEui)).toBe(true);
    expect(await removeDevice(devEui)).toBe(false);
  });

  test("that cannot have its port ends with everything closed", async () => {
    const taken = (gateway.address() as AddressInfo).port;
    const semtechUdp = { ...config.semtechUdp, port: taken };
    await expect(start({ config: { ...config, semtechUdp } })).rejects.toThrow(/EADDRINUSE/);
    hub = undefined;
    await start();
  });
});

describe("the command line", () => {
  const lines: string[] = [];
  const call = async (...args: string[]) => {
    lines.length = 0;
    const io = { print: (l: string) => void lines.push(l), printError: (l: string) => void lines.push(l) };
    return run(args, { ...io, signal: AbortSignal.abort() });
  };

  test("imports a list into the journal of a hub that does not run, and lists it", async () => {
    const file = path.join(dir, "devices.csv");
    writeFileSync(
      file,
      `dev_eui,join_eui,app_key,name,site,zone\n${DEVICE},0000000000000001,${"03".repeat(16)},A,S,Z\n`,
    );
    expect(await call("device", "import", file, "--dir", dir)).toBe(0);
    expect(await call("device", "import", file, "--dir", dir)).toBe(65);
    expect(lines.join("\n")).toMatch(/devices\.csv: line 2: DevEUI .* here already.*\nNothing was added\./);
    expect(await call("device", "list", "--json", "--dir", dir)).toBe(0);
    expect(JSON.parse(lines.join(""))).toMatchObject([{ devEui: DEVICE, name: "A" }]);
    expect(await call("device", "remove", DEVICE, "--dir", dir)).toBe(0);
    expect(await call("device", "remove", DEVICE, "--dir", dir)).toBe(65);
  });

  test("adds a device to the hub that runs", async () => {
    const { listDevices } = await start();
    const keyFile = path.join(dir, "app-key");
    writeFileSync(keyFile, `${"03".repeat(16)}\n`);
    const options = [
      "--dev-eui",
      DEVICE,
      "--join-eui",
      "0000000000000001",
      "--app-key-file",
      keyFile,
      "--name",
      'A "B", C',
    ];
    expect(
      await call(
        "device",
        "add",
        ...options,
        "--site",
        "S",
        "--zone",
        "Z",
        "--modes",
        "real test",
        "--dir",
        dir,
      ),
    ).toBe(0);
    expect(listDevices()).toMatchObject([{ devEui: DEVICE, name: 'A "B", C', allowModes: ["real", "test"] }]);
    expect(await call("device", "add", "--dev-eui", DEVICE, "--app-key-file", keyFile, "--dir", dir)).toBe(
      65,
    );
  });

  test("says with sysexits what was wrong", async () => {
    expect(await call()).toBe(64);
    expect(await call("config", "--colour")).toBe(64);
    expect(await call("enrol", "nonsense", "--dir", dir)).toBe(64);
    const code = path.join(dir, "code");
    writeFileSync(code, "nonsense\n");
    expect(await call("enrol", "--code-file", code, "--dir", dir)).toBe(69);
    expect(await call("run", "--dir", dir)).toBe(78);
    expect(lines.join("\n")).toMatch(/tugma hub config --commented/);
    expect(await call("status", "--dir", dir)).toBe(69);
    expect(await call("verify", "--dir", dir)).toBe(78);
    mkdirSync(path.join(dir, "keys"));
    expect(await call("user", "No Name", "--dir", dir)).toBe(78);
    expect(await call("user", "wall", "--json", "--dir", dir)).toBe(0);
    expect(JSON.parse(lines.join(""))).toMatchObject({
      name: "wall",
      secret: expect.stringMatching(/^[\w-]{22}$/),
    });
  });

  test("prints a documented configuration and checks one", async () => {
    expect(await call("config", "--commented")).toBe(0);
    writeFileSync(path.join(dir, "hub.yaml"), lines.join("\n").replace("region:", "region: EU433"));
    expect(await call("config", "--dir", dir)).toBe(0);
  });
});
