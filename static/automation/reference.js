/* Asks for the key, keeps it in this variable alone, and shows what /admin/docs/data says. */
(function () {
  "use strict";

  let key = "";
  const byId = (id) => document.getElementById(id);

  function make(tag, options, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(options || {})) {
      if (name === "text") element.textContent = value;
      else if (name === "class") element.className = value;
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  /* Text in which `words` stand as code. */
  function prose(tag, options, text) {
    const parts = text.split("`").map((part, number) => (number % 2 ? make("code", { text: part }) : part));
    return make(tag, options, ...parts);
  }

  function ask(method, url, headers, body) {
    return fetch(url, {
      method: method,
      headers: { ...headers, "X-Admin-Key": key },
      body: body,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
  }

  function pretty(text) {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch (none) {
      return text;
    }
  }

  /* --- the gate --- */

  function refuse(sentence) {
    byId("refused").textContent = sentence;
    byId("refused").hidden = !sentence;
  }

  async function open(event) {
    event.preventDefault();
    refuse("");
    key = byId("key").value.trim();
    let response;
    try {
      response = await ask("GET", "/admin/docs/data", {});
    } catch (away) {
      refuse(away instanceof TypeError && /[^\x20-\x7e]/.test(key) ? "A key has printable ASCII characters only." : "Steward does not answer.");
      key = "";
      return;
    }
    if (!response.ok) {
      key = "";
      const said = await response.json().catch(() => ({}));
      refuse(response.status === 403 ? "This key is not valid." : said.detail || "Steward answered " + response.status + ".");
      byId("key").select();
      return;
    }
    show(await response.json());
    byId("key").value = "";
  }

  function forget() {
    key = "";
    byId("contents").replaceChildren();
    byId("sections").replaceChildren();
    byId("reference").hidden = true;
    byId("forget").hidden = true;
    byId("gate").hidden = false;
    byId("key").focus();
  }

  /* --- the reference --- */

  function show(data) {
    const contents = byId("contents");
    const sections = byId("sections");
    contents.replaceChildren();
    sections.replaceChildren();
    for (const section of data.sections) {
      contents.append(make("h2", { text: section.name }));
      const whole = make("section", {}, make("h2", { text: section.name }));
      for (const route of section.routes) {
        const id = anchor(route);
        contents.append(make("a", { href: "#" + id }, badge(route.method), make("span", { text: route.path })));
        whole.append(article(route, id));
      }
      sections.append(whole);
    }
    byId("gate").hidden = true;
    byId("reference").hidden = false;
    byId("forget").hidden = false;
  }

  function anchor(route) {
    return (route.method + route.path).toLowerCase().replace(/[^a-z0-9]+/g, "-");
  }

  function badge(method) {
    const kind = method === "GET" ? "" : method === "DELETE" ? " deletes" : " writes";
    return make("span", { class: "method" + kind, text: method });
  }

  function article(route, id) {
    const header = make(
      "header", {},
      badge(route.method),
      make("h3", { class: "path", text: route.path }),
      prose("p", { class: "summary" }, route.summary)
    );
    return make(
      "article", { class: "route card", id: id },
      header,
      route.description ? prose("p", { class: "about" }, route.description) : null,
      ...fields(route.fields),
      make("h4", { text: "Answers" }),
      make("div", { class: "answers" }, ...route.responses.map(answer)),
      form(route)
    );
  }

  function fields(found) {
    if (!found.length) return [];
    const rows = found.map((field) => {
      const name = make("td", {}, make("code", { text: field.name }));
      if (field.required) name.append(make("span", { class: "need", text: "needed" }));
      const about = [field.description];
      if (field.choices) about.push("One of " + field.choices.join(", ") + ".");
      if (field.default !== null && field.default !== "") about.push("Default " + field.default + ".");
      return make(
        "tr", {},
        name,
        make("td", { text: field.in }),
        make("td", { text: field.type }),
        prose("td", { class: "subtle" }, about.filter(Boolean).join(" "))
      );
    });
    const head = make("tr", {}, ...["Name", "In", "Type", "What"].map((text) => make("th", { scope: "col", text: text })));
    const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
    return [make("h4", { text: "Parameters" }), make("div", { class: "table" }, table)];
  }

  function shade(status) {
    return "status" + (status >= 500 ? " worse" : status >= 400 ? " bad" : "");
  }

  function answer(response) {
    const words = [make("span", { class: shade(response.status), text: response.status }), prose("span", {}, response.description)];
    if (response.example === null || response.example === undefined) return make("p", { class: "plainly" }, ...words);
    const example = make("pre", { text: JSON.stringify(response.example, null, 2) });
    return make("details", { open: response.status < 300 }, make("summary", {}, ...words), example);
  }

  /* --- try it --- */

  function form(route) {
    const inputs = new Map();
    const grid = make("div", { class: "inputs" });
    for (const field of route.fields.filter((each) => each.in !== "body")) {
      const input = control(field);
      inputs.set(field, input);
      grid.append(make("label", {}, make("span", { text: field.name }), input));
    }
    let body = null;
    if (route.fields.some((field) => field.in === "body")) {
      body = make("textarea", { rows: "5", spellcheck: "false" });
      body.value = JSON.stringify(route.body || {}, null, 2);
      grid.append(make("label", { class: "whole" }, make("span", { text: "body" }), body));
    }
    const send = make("button", { type: "submit", text: "Send" });
    const target = make("code", { class: "subtle" });
    const result = make("output", {});
    const whole = make(
      "form", { class: "try", autocomplete: "off" },
      make("h4", { text: "Try it" }),
      grid.childElementCount ? grid : null,
      make("div", { class: "sending" }, send, target),
      result
    );
    const refresh = () => { target.textContent = route.method + " " + address(route, inputs); };
    whole.addEventListener("input", refresh);
    whole.addEventListener("submit", (event) => {
      event.preventDefault();
      run(route, inputs, body, send, result);
    });
    refresh();
    return whole;
  }

  function control(field) {
    const options = field.choices || (field.type === "boolean" ? ["true", "false"] : null);
    if (!options) {
      return make("input", { type: "text", spellcheck: "false", required: field.required, placeholder: field.default === null ? "" : String(field.default) });
    }
    return make("select", {}, make("option", { value: "", text: "not sent" }), ...options.map((each) => make("option", { value: each, text: each })));
  }

  function address(route, inputs) {
    let path = route.path;
    const query = new URLSearchParams();
    for (const [field, input] of inputs) {
      if (field.in === "path" && input.value) path = path.replace("{" + field.name + "}", encodeURIComponent(input.value));
      if (field.in === "query" && input.value) query.set(field.name, input.value);
    }
    const text = query.toString();
    return text ? path + "?" + text : path;
  }

  async function run(route, inputs, body, send, result) {
    const headers = body === null ? {} : { "Content-Type": "application/json" };
    for (const [field, input] of inputs) {
      if (field.in === "header" && input.value) headers[field.name] = input.value;
    }
    send.disabled = true;
    const started = performance.now();
    try {
      const response = await ask(route.method, address(route, inputs), headers, body === null ? undefined : body.value);
      const text = await response.text();
      const line = make(
        "p", {},
        make("span", { class: shade(response.status), text: response.status }),
        make("span", { class: "subtle", text: Math.round(performance.now() - started) + " ms, " + (response.headers.get("X-Request-Id") || "") })
      );
      result.replaceChildren(line, make("pre", { text: pretty(text) || "no body" }));
    } catch (away) {
      result.replaceChildren(make("p", { class: "refused", text: "The request could not be sent: " + away.message }));
    }
    send.disabled = false;
  }

  byId("ask").addEventListener("submit", open);
  byId("forget").addEventListener("click", forget);
  byId("key").focus();
})();
