<?php
// What PHP reads in a body, as the router of `php -S`: forms and multipart through $_POST and $_FILES, JSON through
// json_decode. Answers in the form of body_reader.cc, or "refused"; "@" is in front of files, and "-" and the number of the
// error stands for the contents of one that did not come.

// The path of a value is the keys of all arrays that it lies in.
function pairs(array $values, string $path, array &$out): void
{
    foreach ($values as $name => $value) {
        $here = $path . bin2hex((string)$name);
        if (is_array($value)) pairs($value, "$here/", $out);
        else $out[] = "$here=" . (is_int($value) ? -$value : bin2hex($value));
    }
}

// The contents of uploads, which PHP keeps by property first and by name below it.
function contents(mixed $error, mixed $file): mixed
{
    if (is_array($error)) {
        $out = [];
        foreach ($error as $key => $one) $out[$key] = contents($one, $file[$key]);
        return $out;
    }
    return $error === 0 ? file_get_contents($file) : $error;
}

function tree(mixed $value, string $path, array &$out): void
{
    if ($value === null) $out[] = "$path=z";
    elseif (is_string($value)) $out[] = "$path=s" . bin2hex($value);
    elseif (is_bool($value)) $out[] = "$path=b" . bin2hex($value ? 'true' : 'false');
    elseif (is_int($value) || is_float($value)) $out[] = "$path=n" . bin2hex(var_export($value, true));
    else {
        $out[] = "$path=c";
        $is_array = is_array($value);
        foreach ($value as $key => $item) tree($item, $path . '/' . ($is_array ? "#$key" : bin2hex((string)$key)), $out);
    }
}

$out = ['ok'];
if (str_starts_with($_SERVER['CONTENT_TYPE'] ?? '', 'application/json')) {
    try {
        tree(json_decode(file_get_contents('php://input'), false, 512, JSON_THROW_ON_ERROR | JSON_BIGINT_AS_STRING), '', $out);
    } catch (JsonException) {
        $out = ['refused'];
    }
} else {
    pairs($_POST, '', $out);
    foreach ($_FILES as $name => $file) pairs([$name => contents($file['error'], $file['tmp_name'])], '@', $out);
}
echo implode(' ', $out);
