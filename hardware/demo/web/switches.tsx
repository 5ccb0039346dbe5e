/** Switches stand where they cut: gateways and the link to the centre in the road, the mains under each panel. */
import type { SiteSwitch, SwitchName } from "../entrance-site.ts";
import { words } from "./words.ts";
import { picture, throwSwitch } from "./world.ts";

export function Mains({ entrance }: { entrance: string }) {
  const found = findSwitch(`mains:${entrance}`);
  return found ? <Switch each={found} label={words.value.mains} /> : null;
}

export function GatewaySwitches() {
  const gateways = (picture.value?.switches ?? []).filter((each) => each.name.startsWith("gateway:"));
  return (
    <span class="switches">
      {gateways.map((each, i) => (
        <Switch
          key={each.name}
          each={each}
          label={`${words.value.gateway} ${i + 1}`}
          title={each.name.slice(8)}
        />
      ))}
    </span>
  );
}

export function CentreSwitch() {
  const found = findSwitch("centre");
  return found ? <Switch each={found} label={words.value.centre} /> : null;
}

function Switch({ each, label, title }: { each: SiteSwitch; label: string; title?: string }) {
  const w = words.value;
  return (
    <button
      type="button"
      class="switch"
      role="switch"
      aria-checked={each.on}
      data-switch={each.name}
      title={title}
      onClick={() => throwSwitch(each.name, !each.on)}
    >
      <span class="switch-track" aria-hidden="true" />
      {label}
      {!each.on && <b class="switch-off">{w.off}</b>}
    </button>
  );
}

function findSwitch(name: SwitchName): SiteSwitch | undefined {
  return picture.value?.switches.find((each) => each.name === name);
}
