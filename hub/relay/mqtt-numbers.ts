/** mqtt-packet, which the MQTT client writes with, keeps each of the 65,536 two-byte numbers as a Buffer of its own from its
 *  first packet on: 8 MB to save a few nanoseconds a packet. It can be told not to. */
import { createRequire } from "node:module";

interface MqttPacket {
  readonly writeToStream: { cacheNumbers: boolean };
}

/** For this whole process; must come before the first packet is written. */
export function keepNoMqttNumbers(): void {
  // the client's own copy, wherever it was installed
  const ofClient = createRequire(createRequire(import.meta.url).resolve("mqtt"));
  const { writeToStream }: MqttPacket = ofClient("mqtt-packet");
  writeToStream.cacheNumbers = false;
}
