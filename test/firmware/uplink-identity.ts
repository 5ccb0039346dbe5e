/** A board that every carrier can be told. */
import type { DeviceIdentity } from "../../firmware/identity.ts";

export const IDENTITY: DeviceIdentity = {
  devEui: "ac1f09fffe000001",
  joinEui: "70b3d57ed0000001",
  appKey: "2b7e151628aed2a6abf7158809cf4f3c",
  region: "EU868",
  wireAddress: 5,
  wifi: { ssid: "stairs", password: "secret" },
  broker: { host: "192.0.2.1", port: 1883, password: "board-secret" },
};
