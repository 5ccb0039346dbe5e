/** Who may speak as which gateway. The Semtech protocol has no authentication at all, so beyond this machine only a
 *  listed EUI from a listed source address is heard, and nothing is ever learned. Pure. */
import { BlockList, isIP } from "node:net";

export interface GatewayAccess {
  /** 16 hex digits. */
  eui: string;
  /** Addresses or CIDR ranges it may send from. Empty: this machine only. */
  sources: readonly string[];
}

export interface AccessList {
  /** True when this EUI may send from this address. */
  allows(eui: string, address: string): boolean;
}

const LOOPBACK = ["127.0.0.0/8", "::1"];
const EUI = /^[0-9a-f]{16}$/;

/** Without a list, every EUI is heard, but only from this machine; throws when that would be all for a socket that
 *  others can reach. Throws an Error that names the entry at fault. */
export function createAccessList(
  bindAddress: string,
  gateways: readonly GatewayAccess[] | undefined,
): AccessList {
  const local = blockList(LOOPBACK, "loopback");
  const open = !isLoopback(bindAddress);
  if (open && (gateways === undefined || gateways.length === 0)) {
    throw new Error(
      `semtech-udp: binding ${bindAddress} would let anybody speak as a gateway. ` +
        "Bind 127.0.0.1, or list each gateway's EUI with the source addresses it sends from.",
    );
  }
  if (gateways === undefined) return { allows: (_, address) => local.check(address, familyOf(address)) };
  const lists = new Map(gateways.map((gateway) => [checkedEui(gateway.eui), sourcesOf(gateway, open)]));
  return { allows: (eui, address) => lists.get(eui)?.check(address, familyOf(address)) ?? false };
}

function sourcesOf({ eui, sources }: GatewayAccess, open: boolean): BlockList {
  if (open && sources.length === 0) {
    throw new Error(
      `semtech-udp: gateway ${eui} has no source address. ` +
        "List the address or CIDR range it sends from, or anybody could speak for it.",
    );
  }
  return blockList(sources.length === 0 ? LOOPBACK : sources, `gateway ${eui}`);
}

function blockList(ranges: readonly string[], what: string): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", prefix] = range.split("/");
    const bits = isIP(address) === 6 ? 128 : 32;
    const length = prefix === undefined ? bits : Number(prefix);
    const valid = isIP(address) !== 0 && /^\d*$/.test(prefix ?? "") && prefix !== "" && length <= bits;
    if (!valid) {
      throw new Error(
        `semtech-udp: ${what}: "${range}" is no address or CIDR range, such as 10.1.2.3 or 10.1.2.0/24.`,
      );
    }
    if (length === 0) {
      throw new Error(`semtech-udp: ${what}: "${range}" is every address there is; name the gateway's own.`);
    }
    list.addSubnet(address, length, familyOf(address));
  }
  return list;
}

function checkedEui(eui: string): string {
  const lower = eui.toLowerCase();
  if (!EUI.test(lower)) throw new Error(`semtech-udp: gateway EUI "${eui}" is not 16 hexadecimal digits.`);
  return lower;
}

function isLoopback(address: string): boolean {
  return (
    address === "localhost" ||
    (isIP(address) !== 0 && blockList(LOOPBACK, "loopback").check(address, familyOf(address)))
  );
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}
