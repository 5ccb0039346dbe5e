/** Lengths of MQTT packets as they go by, before anybody collects their bytes.
 *    packet = type (1) ‖ remaining length (1-4, seven bits each, lowest first) ‖ rest           MQTT 3.1.1, 2.2.3 */

/** Takes the stream in pieces of any size; answers the announced size of the first packet that is too large, or null. */
export function createLengthFollower(maxBytes: number): (chunk: Uint8Array) => number | null {
  let toSkip = 0;
  let inHead = false;
  let length = 0;
  let scale = 1;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (toSkip > 0) {
        const step = Math.min(toSkip, chunk.length - at);
        toSkip -= step;
        at += step;
        continue;
      }
      const byte = chunk[at] ?? 0;
      at += 1;
      if (!inHead) {
        inHead = true;
        length = 0;
        scale = 1;
        continue;
      }
      length += (byte & 0x7f) * scale;
      scale *= 128;
      if (length > maxBytes) return length;
      // a fifth length byte is malformed: the parser says so
      if (byte < 0x80 || scale > 128 ** 4) {
        inHead = false;
        toSkip = length;
      }
    }
    return null;
  };
}
