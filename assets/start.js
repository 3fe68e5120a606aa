// Before anything is shown: whoever has scripts is told apart from whoever has none.
document.documentElement.classList.replace("no-js", "js-enabled");
document.body.classList.add("js-enabled", "nhsuk-frontend-supported");
