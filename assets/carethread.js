// What the pages do beyond forms and links. Everything works without it, but arrives by itself only with it.
import { initAll } from "./nhsuk-frontend.min.js";
import "./drafts.js";
import "./still.js";

initAll();
