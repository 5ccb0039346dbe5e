/** The RAK3172's driver, in the words of the other uplinks. */
import type { DeviceIdentity } from "../../firmware/identity.ts";
import * as rak from "../../firmware/modem-rak3172.ts";
import { isModemIdentity, lowestRateOf } from "../../firmware/modem-rak3172-lines.ts";
import { DO, PHASE, type Uplink, type UplinkDialect, type UplinkEffect } from "../../firmware/uplink.ts";

interface RakUplink extends Uplink {
  readonly modem: rak.Modem;
}

function asUplink(modem: rak.Modem): RakUplink {
  const name = Object.entries(rak.PHASE).find(
    ([, phase]) => phase === modem.phase,
  )?.[0] as keyof typeof rak.PHASE;
  return { modem, phase: PHASE[name], dueMs: modem.dueMs };
}

function asEffect(effect: rak.ModemEffect): UplinkEffect {
  switch (effect.do) {
    case rak.DO.write:
      return { do: DO.write, text: effect.line + "\r\n" };
    case rak.DO.answered:
      return { ...effect, do: DO.answered };
    case rak.DO.received:
      return { ...effect, do: DO.received };
    case rak.DO.reset:
      return { do: DO.reset };
    case rak.DO.power:
      return { do: DO.power };
    case rak.DO.onAir:
      return { do: DO.onAir };
  }
}

export const rak3172: UplinkDialect<RakUplink> = {
  createUplink: (identity: DeviceIdentity, nowMs) => asUplink(rak.createModem(identity, nowMs)),
  stepUplink({ modem }, { nowMs, text, frame, isAlarm }, luck) {
    const input = {
      nowMs,
      ...(text === undefined ? {} : { text }),
      ...(frame && { frame }),
      ...(isAlarm && { isAlarm }),
    };
    const [next, effects] = rak.stepModem(modem, input, luck);
    return [asUplink(next), effects.map(asEffect)];
  },
  lowestRateOf,
  isUsable: isModemIdentity,
};
