/** The gateways of a load test in a process of their own, so that the hub's time is the hub's. Keeps so many alarms on their way;
 *  whoever started it says how many have arrived. Started by sustained.ts. */
import { createBenchDevice } from "./devices.ts";
import { type BenchGateway, gatewayEui, openBenchGateways, pushDatagram } from "./gateway.ts";

export type ToLoad =
  | { readonly open: { readonly port: number; readonly gateways: number; readonly devices: number } }
  /** Makes the next round's datagrams. */
  | { readonly make: number }
  | { readonly begin: { readonly inFlight: number } }
  /** So many alarms of this round have arrived. */
  | { readonly arrived: number };

let gateways: BenchGateway[] = [];
let devices: ReturnType<typeof createBenchDevice>[] = [];
let datagrams: Uint8Array[] = [];
let made = 0;
let sent = 0;
let inFlight = 0;

function fill(arrived: number): void {
  for (; sent < datagrams.length && sent - arrived < inFlight; sent++) {
    gateways[sent % gateways.length]?.send(datagrams[sent] ?? new Uint8Array());
  }
}

/** Each alarm by the next device through the next gateway. */
function make(count: number): void {
  sent = 0;
  datagrams = Array.from({ length: count }, (_, at) => {
    const phyPayload = devices[made++ % devices.length]?.frame("panic") ?? new Uint8Array();
    return pushDatagram(phyPayload, gatewayEui(at % gateways.length));
  });
}

async function obey(message: ToLoad): Promise<void> {
  if ("open" in message) {
    const { port, ...count } = message.open;
    devices = Array.from({ length: count.devices }, (_, number) => createBenchDevice(number));
    const euis = Array.from({ length: count.gateways }, (_, number) => gatewayEui(number));
    gateways = await openBenchGateways(port, euis);
  } else if ("make" in message) make(message.make);
  else if ("arrived" in message) return fill(message.arrived);
  else {
    inFlight = message.begin.inFlight;
    return fill(0);
  }
  process.send?.("done");
}

process.on("message", (message: ToLoad) => void obey(message));
process.once("disconnect", () => process.exit());
