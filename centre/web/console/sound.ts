/** The console's voice: one pattern for life, one for every other alarm, one for loss of link, one short chime for a
 *  drill. Made by WebAudio, so that nothing has to be fetched when the link is down. */
export type Voice = "life" | "other" | "link" | "drill";

/** [start s, length s, from Hz, to Hz] */
type Tone = readonly [number, number, number, number];

interface Pattern {
  readonly tones: readonly Tone[];
  /** Start to start; 0 = sounds once. */
  readonly everyMs: number;
  readonly volume: number;
}

const PATTERNS = {
  // quick rising sweeps: urgent, and unlike any telephone
  life: {
    tones: [
      [0, 0.28, 640, 1180],
      [0.34, 0.28, 640, 1180],
      [0.68, 0.28, 640, 1180],
    ],
    everyMs: 1500,
    volume: 0.5,
  },
  other: {
    tones: [
      [0, 0.16, 620, 620],
      [0.26, 0.3, 520, 520],
    ],
    everyMs: 3000,
    volume: 0.35,
  },
  link: {
    tones: [
      [0, 0.22, 440, 440],
      [0.28, 0.22, 330, 330],
      [0.56, 0.5, 247, 220],
    ],
    everyMs: 4000,
    volume: 0.4,
  },
  drill: { tones: [[0, 0.5, 392, 392]], everyMs: 0, volume: 0.15 },
} as const satisfies Record<Voice, Pattern>;

let context: AudioContext | null = null;
let current: Voice | null = null;
let lastMs = Number.NEGATIVE_INFINITY;

/** Must run inside a key press or click: browsers keep a page silent until then. */
export async function wakeSound(): Promise<void> {
  context ??= new AudioContext();
  if (context.state !== "running") await context.resume();
}

export function soundIsAwake(): boolean {
  return context?.state === "running";
}

/** Names the sound that must repeat from now on, or null for silence. Called at every beat of the metronome. */
export function keepSounding(voice: Voice | null, nowMs: number): void {
  if (voice !== current) lastMs = Number.NEGATIVE_INFINITY;
  current = voice;
  if (voice === null || nowMs - lastMs < PATTERNS[voice].everyMs) return;
  lastMs = nowMs;
  playOnce(voice);
}

/** One turn of a pattern, `delayS` from now. */
export function playOnce(voice: Voice, delayS = 0): void {
  if (context?.state !== "running") return;
  for (const tone of PATTERNS[voice].tones) playTone(context, tone, PATTERNS[voice].volume, delayS);
}

/** The three sounds an operator must know apart, one after the other. */
export function playTest(): void {
  playOnce("life");
  playOnce("other", 1.4);
  playOnce("link", 2.4);
}

function playTone(
  audio: AudioContext,
  [start, length, from, to]: Tone,
  volume: number,
  delayS: number,
): void {
  const begin = audio.currentTime + delayS + start;
  const end = begin + length;
  const source = audio.createOscillator();
  const gain = audio.createGain();
  source.type = "triangle";
  source.frequency.setValueAtTime(from, begin);
  source.frequency.linearRampToValueAtTime(to, end);
  // short ramps: a tone that starts at full level clicks in the loudspeaker
  gain.gain.setValueAtTime(0, begin);
  gain.gain.linearRampToValueAtTime(volume, begin + 0.02);
  gain.gain.setValueAtTime(volume, end - 0.04);
  gain.gain.linearRampToValueAtTime(0, end);
  source.connect(gain).connect(audio.destination);
  source.start(begin);
  source.stop(end);
}
