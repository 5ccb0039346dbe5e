/** Before the console: sign in, the first account from an invitation, and the one-time link. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Answer, post } from "./acts.ts";
import { LanguageSwitch } from "./bar.tsx";
import { focusOnMount } from "./focus.ts";
import { words } from "./words/words.ts";

interface EntryProps {
  readonly onOperator: () => void;
}

export function Login({ isFirst, onOperator }: EntryProps & { isFirst: boolean }) {
  const w = words.value.login;
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const form = useSubmit("/api/login", { name, password }, onOperator);
  return (
    <Entry title={w.title} form={form} ok={w.ok}>
      {isFirst && <p class="entry-note">{w.first}</p>}
      <Field label={w.name} name="username" value={name} set={setName} autocomplete="username" isFocused />
      <Field
        label={w.password}
        name="password"
        value={password}
        set={setPassword}
        autocomplete="current-password"
        isSecret
      />
    </Entry>
  );
}

export function Invitation({ token, onOperator }: EntryProps & { token: string }) {
  const w = words.value.login;
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [repeated, setRepeated] = useState("");
  const flaw = password === repeated ? null : "differ";
  const form = useSubmit("/api/invitation", { token, name, password }, onOperator, flaw);
  return (
    <Entry title={w.invitation} form={form} ok={w.create}>
      <p class="entry-note">{w.invitationNote}</p>
      <Field label={w.name} name="username" value={name} set={setName} autocomplete="username" isFocused />
      <Field
        label={w.password}
        name="password"
        value={password}
        set={setPassword}
        autocomplete="new-password"
        isSecret
        hint={w.passwordRule}
      />
      <Field
        label={w.repeat}
        name="repeated"
        value={repeated}
        set={setRepeated}
        autocomplete="new-password"
        isSecret
      />
    </Entry>
  );
}

/** Signs in by itself: opening the link was the act. Only a page that runs can use it up, never a link preview. */
export function Once({ token, onOperator }: EntryProps & { token: string }) {
  const w = words.value.login;
  const form = useSubmit("/api/once", { token }, onOperator);
  useEffect(() => {
    void form.submit();
  }, []);
  return (
    <main class="entry">
      <div class="entry-box">
        <h1>{form.error ?? w.once}</h1>
        {form.error && (
          <a class="act" href="/">
            {w.title}
          </a>
        )}
      </div>
      <LanguageSwitch />
    </main>
  );
}

interface Form {
  readonly isBusy: boolean;
  readonly error: string | null;
  submit(): Promise<void>;
}

function useSubmit(path: string, body: object, onOperator: () => void, flaw: Flaw | null = null): Form {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Answer | Flaw | null>(null);
  const submit = async () => {
    if (isBusy) return;
    setProblem(flaw);
    if (flaw) return;
    setBusy(true);
    try {
      const answer = await post(path, body);
      if (answer.ok) onOperator();
      else setProblem(answer);
    } catch {
      setProblem("network");
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, error: problem === null ? null : errorText(problem), submit };
}

type Flaw = "differ" | "network";

function errorText(problem: Answer | Flaw): string {
  const w = words.value.login;
  if (typeof problem === "string") return w.errors[problem];
  if (problem.error === "wait") return w.wait(Math.ceil(problem.waitMs / 1000));
  const known: Readonly<Record<string, string>> = w.errors;
  return known[problem.error ?? ""] ?? `${w.errors.network} (${problem.status})`;
}

function Entry({
  title,
  form,
  ok,
  children,
}: {
  title: string;
  form: Form;
  ok: string;
  children: ComponentChildren;
}) {
  const w = words.value;
  return (
    <main class="entry">
      <form
        class="entry-box"
        onSubmit={(event) => {
          event.preventDefault();
          void form.submit();
        }}
      >
        <p class="soft">
          {w.product} · {w.subtitle}
        </p>
        <h1>{title}</h1>
        {children}
        <button type="submit" class="act is-next is-big" disabled={form.isBusy}>
          {form.isBusy ? w.login.busy : ok}
        </button>
        <p class="entry-error" role="alert">
          {form.error}
        </p>
      </form>
      <LanguageSwitch />
    </main>
  );
}

interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly set: (value: string) => void;
  readonly autocomplete: string;
  readonly hint?: string;
  readonly isSecret?: boolean;
  readonly isFocused?: boolean;
}

function Field({
  label,
  name,
  value,
  set,
  autocomplete,
  hint,
  isSecret = false,
  isFocused = false,
}: FieldProps) {
  return (
    <div class="field">
      <label>
        {label}
        <input
          name={name}
          {...(isSecret ? { type: "password" } : { type: "text" })}
          value={value}
          required
          maxLength={isSecret ? 200 : 80}
          autocomplete={autocomplete}
          aria-describedby={hint && `${name}-hint`}
          ref={isFocused ? focusOnMount : null}
          spellcheck={false}
          onInput={(event) => set(event.currentTarget.value)}
        />
      </label>
      {hint && <small id={`${name}-hint`}>{hint}</small>}
    </div>
  );
}
