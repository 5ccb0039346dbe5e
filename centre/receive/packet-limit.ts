/** Ends a connection that announces an MQTT packet larger than allowed, before its bytes are collected. The broker's parser has no
 *  such bound (a packet may claim 256 MB), so the lengths are followed here as the bytes go by. */
import type { Duplex } from "node:stream";
import { createLengthFollower } from "../../protocols/mqtt-length.ts";

/** `onExceeded` is told the size; then the stream is destroyed. */
export function limitPacketSize(stream: Duplex, maxBytes: number, onExceeded: (bytes: number) => void): void {
  const follow = createLengthFollower(maxBytes);
  const read = stream.read.bind(stream);
  stream.read = (size?: number) => {
    const chunk: unknown = read(size);
    if (!(chunk instanceof Uint8Array)) return chunk;
    const exceeded = follow(chunk);
    if (exceeded === null) return chunk;
    onExceeded(exceeded);
    stream.destroy();
    return null;
  };
}
