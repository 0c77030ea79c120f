"""Policy texts of the scenes. `UPSTREAM` stands where the upstream's address goes."""

# One route per carrier and action; unlisted fields are refused.
WIDE = """\
policy: 1
tenant: atelier
roles: { dpo: { reveal: clear }, support: { reveal: masked } }
recipients:
  crm: { name: Atelier CRM, country: FR }
  mailing: { name: Mailing house, country: FR }
purposes:
  contact:
    basis: legitimate-interest
    retention: { from: last-contact, active: P3Y, archive: P5Y }
    reveal: [dpo, support]
  survey:
    basis: consent
    retention: { from: collection, active: P1Y }
    reveal: [dpo]
  sealed-purpose:
    basis: contract
    retention: { from: collection, active: P1Y }
routes:
  - name: contact-form
    match: { method: POST, path: /contact }
    upstream: UPSTREAM
    recipient: crm
    purpose: contact
    client-address: drop
    fields:
      form.name:       { kind: name, do: tokenise }
      form.email:      { kind: email, do: tokenise, shape: email }
      form.phone:      { kind: phone, do: tokenise, mode: derived }
      form.city:       { kind: name, do: pseudonymise, space: city }
      form.message:    { kind: text, do: encrypt }
      form.note:       { do: drop }
      form.card:       { do: refuse }
      form.country:    { do: replace, with: FR }
      form.secret:     { do: mask }
      form.zip:        { do: truncate, length: 2 }
      form.submit:     { do: keep }
      json.person.email:   { kind: email, do: tokenise, shape: email }
      json.people[*].name: { kind: name, do: tokenise }
      json.message:        { kind: text, do: encrypt }
      json.kept:           { do: keep }
      json.kept[*]:        { do: keep }
      multipart.email:     { kind: email, do: tokenise, shape: email }
      multipart.message:   { kind: text, do: encrypt }
      query.mail:          { kind: email, do: tokenise }
      query.ref:           { do: keep }
      header.X-Customer:   { kind: name, do: tokenise }
      header.Referer:      { do: drop }
      header.User-Agent:   { do: generalise, to: browser-family }
      cookie.visitor:      { kind: text, do: pseudonymise, space: visitor }
      cookie.track:        { do: drop }
    unlisted: refuse
  - name: survey
    match: { method: POST, path: /survey }
    upstream: UPSTREAM
    recipient: mailing
    purpose: survey
    fields:
      form.email:  { kind: email, do: tokenise, shape: email }
      form.answer: { kind: text, do: encrypt, required: true }
    unlisted: drop
  - name: contract
    match: { method: POST, path: /contract }
    upstream: UPSTREAM
    recipient: crm
    purpose: sealed-purpose
    fields:
      form.email: { kind: email, do: tokenise, space: contract-email }
  - name: relay
    match: { method: [POST, PUT], path: /relay }
    upstream: UPSTREAM
    recipient: crm
    purpose: contact
    text-plain: json
    fields:
      form.email:      { kind: email, do: tokenise, shape: email }
      json.email:      { kind: email, do: tokenise, shape: email }
      multipart.email: { kind: email, do: tokenise, shape: email }
      query.email:     { kind: email, do: tokenise, shape: email }
      cookie.email:    { kind: email, do: tokenise }
    unlisted: keep
elsewhere: { methods: [GET, HEAD], upstream: UPSTREAM, do: pass }
"""

# No elsewhere: what no route takes is refused.
BARE = """\
policy: 1
tenant: atelier
recipients: { crm: { name: Atelier CRM, country: FR } }
purposes:
  contact: { basis: contract, retention: { from: collection, active: P1Y } }
routes:
  - name: contact-form
    match: { method: POST, path: /contact }
    upstream: UPSTREAM
    recipient: crm
    purpose: contact
    client-address: ADDRESS
    fields:
      form.email: { kind: email, do: tokenise, shape: email }
"""


def bare(address="drop"):
    return BARE.replace("ADDRESS", address)
