/** The stairwell's line and its serial server, over a real socket. */
import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { startStairs } from "../../../hardware/demo/stairs.ts";
import { createRealClock } from "../../../hardware/virtual/clock.ts";
import { encodeFrame } from "../../../protocols/device/frame.ts";

test("what the hub says comes to the board, and what the board says to the hub", async () => {
  const stairs = await startStairs(createRealClock());
  const board = stairs.attach();
  const payload = Uint8Array.of(0x80, 1, 2);
  const poll = encodeFrame({
    ...{ address: 4, fromDevice: false, type: "poll", sequence: 1 },
    payload: new Uint8Array(),
  });
  const answer = encodeFrame({ address: 4, fromDevice: true, type: "data", sequence: 1, payload });
  const asked: Uint8Array[] = [];
  const heard: unknown[] = [];
  stairs.onHeard((address, phyPayload) => heard.push([address, phyPayload]));
  board.onData((bytes) => {
    asked.push(bytes);
    board.send(answer);
  });
  const hub = connect(stairs.tcpPort, "127.0.0.1");
  hub.write(poll);
  const [bytes] = await once(hub, "data");
  expect(asked).toEqual([poll]);
  expect(new Uint8Array(bytes)).toEqual(answer);
  expect(heard).toEqual([[4, payload]]);
  await Promise.all([once(hub, "close"), stairs.close()]);
});
