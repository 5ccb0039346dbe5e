import { expect, test } from "vitest";
import { createAir } from "../../hardware/virtual/air.ts";
import { createRealClock } from "../../hardware/virtual/clock.ts";
import { createUdpDatagrams } from "../../hardware/virtual/datagram.ts";
import { startSession } from "../../hardware/virtual/device-session.ts";
import type { DeviceEvent } from "../../hardware/virtual/device-types.ts";
import { createGateway } from "../../hardware/virtual/gateway.ts";
import { createLorawanDevice } from "../../hardware/virtual/lorawan-device.ts";
import { lossByTable } from "../../hardware/virtual/path-loss.ts";
import { REGIONS } from "../../protocols/lorawan/regions.ts";
import { createEchoHub } from "./echo-hub.ts";
import { APP_KEY, GATEWAY, JOIN_EUI, NEAR_DB, REPORT } from "./radio-world.ts";

test("the same hardware in real time over real UDP: a confirmed uplink has its ACK", async () => {
  const clock = createRealClock();
  const region = REGIONS.EU868;
  const devEui = "70b3d57ed0060001";
  const air = createAir({ clock, random: Math.random, pathLoss: lossByTable({}, NEAR_DB) });
  const datagrams = createUdpDatagrams((error) => {
    throw error;
  });
  const socket = await datagrams.bind(0);
  const hub = createEchoHub({ socket, region, appKeys: {}, again: () => true });
  const gateway = createGateway({
    clock,
    air,
    random: Math.random,
    datagrams,
    hub: socket.address,
    eui: GATEWAY,
    region,
  });
  await gateway.powerOn();
  // joined already: a join alone takes five seconds
  const keys = { nwkSKey: "11".repeat(16), appSKey: "22".repeat(16) };
  const dlSettings = { rx1DrOffset: 0, rx2DataRate: 0, optNeg: false };
  const accept = { joinNonce: 1, netId: "000013", devAddr: "48000001", dlSettings, rxDelay: 1, cfList: null };
  const memory = { devNonce: 1, joinNonce: 1, session: startSession(region, accept, keys, 5) };
  hub.sessions.set(devEui, {
    devAddr: "48000001",
    ...keys,
    fCntUp: -1,
    fCntDown: 0,
    rxDelayS: 1,
    rx2: region.rx2,
  });
  const identity = { devEui, joinEui: JOIN_EUI, appKey: APP_KEY };
  const device = createLorawanDevice({ clock, air, random: Math.random, region, identity, memory });
  const sent = new Promise<DeviceEvent>((resolve) => {
    device.onEvent((event) => event.type === "sent" && resolve(event));
  });
  // the trials are for a machine that stalls for longer than a receive window
  device.send({ fPort: 2, payload: REPORT, confirmed: true, trials: 4 });
  expect(await sent).toMatchObject({ acknowledged: true });
  expect(hub.uplinks[0]?.payload).toEqual(REPORT);
  device.off();
  await gateway.powerOff();
  await socket.close();
});
