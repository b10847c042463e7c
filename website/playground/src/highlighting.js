import { styleTags, tags as t } from "@lezer/highlight";

/** What each part of a specification is shown as. */
export const highlighting = styleTags({
  Keyword: t.keyword,
  Comment: t.lineComment,
  String: t.string,
  "Number Amount": t.number,
  "Network/Definition Modality/Definition Cell/Definition": t.definition(t.typeName),
  "Feature/Definition Step/Definition": t.definition(t.variableName),
  "Op/Definition Role/Definition": t.definition(t.function(t.variableName)),
  "OperationName/...": t.function(t.variableName),
  "Library/... Machine/...": t.namespace,
  "AxisName/... Setting/... Quantity/...": t.propertyName,
  "Reference/... Formal/... Variable/... Weight/...": t.variableName,
  "ClassName/...": t.literal,
  "SlotHole OperationHole NumberHole Possibly Others Contracted": t.atom,
  '"?" "*"': t.atom,
  "Comparison Plus Minus": t.operator,
  "( )": t.paren,
  "[ ]": t.squareBracket,
  "{ }": t.brace,
});
