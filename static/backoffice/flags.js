/* The editor of flags: the input that fits an operator, sums of shares, the slider. Works without it, too. */
(function () {
  "use strict";

  function show(field, shown) {
    field.hidden = field.disabled = !shown;
  }

  /* Of the inputs for a value, the one that the operator takes. */
  function fitValue(condition) {
    const chosen = condition.querySelector("[data-operator]").selectedOptions[0];
    condition.querySelectorAll(":scope > [data-takes]").forEach(function (field) {
      show(field, field.dataset.takes === chosen.dataset.takes);
      if (field.dataset.takes === "text") field.placeholder = chosen.dataset.hint || "value";
    });
    const attribute = condition.querySelector(".sw-attribute");
    if (attribute) show(attribute, chosen.dataset.takes !== "segment");
  }

  function sum(rule) {
    let total = 0;
    rule.querySelectorAll("[data-weight]").forEach((field) => (total += Number(field.value.replace(",", ".")) || 0));
    const said = rule.querySelector("[data-sum]");
    const whole = Math.abs(total - 100) < 0.0005;
    said.textContent = "= " + Number(total.toFixed(3)) + " %" + (whole ? "" : ": must be 100");
    said.classList.toggle("sw-wrong", !whole);
  }

  function fitRule(rule) {
    rule.querySelector("[data-split]").hidden = rule.querySelector("[data-serve]").value !== "*";
    sum(rule);
  }

  const form = document.querySelector("[data-editor]");
  if (!form) return;
  form.querySelectorAll("[data-condition]").forEach(fitValue);
  form.querySelectorAll("[data-rule]").forEach(fitRule);

  const slider = form.querySelector("[data-slider]");
  const percentage = form.querySelector("[data-percentage]");
  if (slider) {
    slider.hidden = false;
    slider.value = percentage.value || 0;
    slider.addEventListener("input", () => (percentage.value = slider.value));
    percentage.addEventListener("input", () => (slider.value = percentage.value || 0));
  }

  form.addEventListener("change", function (event) {
    if (event.target.matches("[data-operator]")) fitValue(event.target.closest("[data-condition]"));
    if (event.target.matches("[data-serve]")) fitRule(event.target.closest("[data-rule]"));
  });
  form.addEventListener("input", function (event) {
    if (event.target.matches("[data-weight]")) sum(event.target.closest("[data-rule]"));
  });
})();
