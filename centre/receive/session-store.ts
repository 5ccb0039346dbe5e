/** The broker's persistence, with nothing in it: no guarantee rests on the broker. Records are durable in the ledger before their
 *  PUBACK, receipts can always be made again, there are no retained messages, no wills and no sessions to outlive a
 *  connection. What is left is to hear which of our QoS 1 messages a hub has acknowledged.                           */
import { Readable } from "node:stream";

/** `onAck` is told of each PUBACK, by client id and message id. The shape is that of aedes-persistence. */
export function createSessionStore(onAck: (clientId: string, messageId: number) => void) {
  const empty = () => Readable.from([]);
  const nothing = async () => undefined;
  return {
    setup: nothing,
    storeRetained: nothing,
    createRetainedStream: empty,
    createRetainedStreamCombi: empty,
    addSubscriptions: nothing,
    removeSubscriptions: nothing,
    cleanSubscriptions: nothing,
    subscriptionsByClient: async () => [],
    subscriptionsByTopic: async () => [],
    countOffline: async () => ({ subsCount: 0, clientsCount: 0 }),
    outgoingEnqueue: nothing,
    outgoingEnqueueCombi: nothing,
    outgoingUpdate: nothing,
    outgoingStream: empty,
    outgoingClearMessageId: async (client: { id: string }, packet: { messageId?: number }) => {
      if (packet.messageId !== undefined) onAck(client.id, packet.messageId);
      return packet;
    },
    // QoS 2 is refused before it is stored
    incomingStorePacket: nothing,
    incomingGetPacket: async () => {
      throw new Error("no such packet");
    },
    incomingDelPacket: nothing,
    cleanIncoming: nothing,
    putWill: nothing,
    getWill: nothing,
    delWill: nothing,
    streamWill: empty,
    getClientList: empty,
    destroy: nothing,
  };
}
