<?php
// A small contact-form site, as thousands of them run: a page, a form, a check of what was sent, a row in
// a database. It knows nothing of the gateway in front of it.
//
//   php -S 127.0.0.1:9000 -t deploy/site deploy/site/index.php
//
// The database's path comes from SITE_DATABASE.

declare(strict_types=1);

const FIELDS = ['first_name', 'last_name', 'email', 'phone', 'company', 'subject', 'message'];

function database(): PDO
{
    $path = getenv('SITE_DATABASE') ?: sys_get_temp_dir() . '/contact-site.sqlite';
    $database = new PDO('sqlite:' . $path, options: [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
    $database->exec('CREATE TABLE IF NOT EXISTS submission (
        id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, email TEXT, phone TEXT, company TEXT,
        subject TEXT, message TEXT, remote_address TEXT, user_agent TEXT)');
    return $database;
}

function page(string $title, string $body): void
{
    header('Content-Type: text/html; charset=utf-8');
    echo "<!doctype html>\n<html lang=\"fr\"><head><meta charset=\"utf-8\"><title>$title</title>\n";
    echo "<link rel=\"stylesheet\" href=\"/style.css\"></head>\n<body><main>\n<h1>$title</h1>\n$body\n";
    echo "</main></body></html>\n";
}

function form(): void
{
    $labels = ['first_name' => 'Prénom', 'last_name' => 'Nom', 'email' => 'Courriel',
               'phone' => 'Téléphone', 'company' => 'Société', 'subject' => 'Objet'];
    $body = "<form method=\"post\" action=\"/contact\">\n";
    foreach ($labels as $name => $label) {
        $type = $name === 'email' ? 'email' : 'text';
        $body .= "<label>$label <input type=\"$type\" name=\"$name\"></label>\n";
    }
    $body .= "<label>Message <textarea name=\"message\" rows=\"5\"></textarea></label>\n"
        . "<button type=\"submit\" name=\"submit\" value=\"1\">Envoyer</button>\n</form>";
    page('Nous contacter', $body);
}

function receive(): void
{
    $row = [];
    foreach (FIELDS as $field) {
        $row[$field] = trim((string) ($_POST[$field] ?? ''));
    }
    if (filter_var($row['email'], FILTER_VALIDATE_EMAIL) === false || $row['message'] === '') {
        http_response_code(422);
        page('Il manque quelque chose', '<p>Un courriel valide et un message sont nécessaires.</p>');
        return;
    }
    // What sites like this one commonly keep as well.
    $row['remote_address'] = $_SERVER['HTTP_X_FORWARDED_FOR'] ?? $_SERVER['REMOTE_ADDR'] ?? '';
    $row['user_agent'] = $_SERVER['HTTP_USER_AGENT'] ?? '';
    $names = implode(', ', array_keys($row));
    $marks = implode(', ', array_fill(0, count($row), '?'));
    database()->prepare("INSERT INTO submission ($names) VALUES ($marks)")->execute(array_values($row));
    page('Merci', '<p id="thanks">Votre message a bien été reçu.</p>');
}

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/style.css') {
    return false; // the built-in server hands the file out
}
if ($path === '/contact' && $_SERVER['REQUEST_METHOD'] === 'POST') {
    receive();
} elseif ($path === '/' || $path === '/contact') {
    form();
} else {
    http_response_code(404);
    page('Page inconnue', '<p>Cette page n’existe pas.</p>');
}
