import * as mqtt from "../../firmware/uplink-mqtt.ts";
import * as rak3172 from "../../firmware/uplink-rak3172.ts";
import * as rn2483 from "../../firmware/uplink-rn2483.ts";
import * as wire from "../../firmware/uplink-wire.ts";
import "./espruino.ts";
import { createBench, describeUplink } from "./uplink-contract.ts";
import {
  createMqttPartner,
  createRakPartner,
  createRnPartner,
  createWirePartner,
} from "./uplink-partners.ts";

describeUplink("RAK3172", async (seed = 1) => createBench(rak3172, await createRakPartner(seed)));
describeUplink("RN2483", async (seed = 1) => createBench(rn2483, await createRnPartner(seed)));
describeUplink("the wire", async () => createBench(wire, createWirePartner()));
describeUplink("MQTT", async () => createBench(mqtt, createMqttPartner()));
