<?php
// Drives a checkout of passbyme2fa-client-php against the sandbox; argument 1 is the checkout, SANDBOX the sandbox's JSON line.
error_reporting(E_ALL & ~E_DEPRECATED);
require $argv[1] . '/PassByME/Autoloader.php';

use PassByME\Methods\Management;
use PassByME\Methods\Messaging;
use PassByME\TwoFactor\Config;

$sandbox = json_decode(getenv('SANDBOX'));
$here = $sandbox->passbyme;
$settings = [
    'auth_url' => $here->url, 'auth_cert' => $here->pemFile, 'auth_pwd' => $here->passphrase,
    'mng_url' => $here->managementUrl, 'mng_cert' => $here->organisationPemFile, 'mng_pwd' => $here->passphrase,
    'ca_cert' => $here->caFile,
];
foreach ($settings as $name => $value) {
    Config::set($name, $value);
}
$phone = fn ($path, $post) => json_decode(file_get_contents($sandbox->phone->url . $path, false, stream_context_create(
    ['http' => $post ? ['method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => '{}'] : []]
)));

$management = new Management();
$user = $management->createUser('carl', 'carl@example.org', 'Carl', '123456');
$seen = ['user' => [$user->fullName, $user->disabled]];
$management->createUser('carl', 'carl@example.org');
$seen['taken'] = $management->getErrorCode();
$seen['alias'] = $management->createAlias($user->oid, 'new @alias')->userId;
$enrollment = $management->createEnrollment($user->oid);
$seen['sheet'] = substr($management->downloadEnrollmentPdf($user->oid, $enrollment->enrollmentId), 0, 5);
$seen['count'] = (new Management())->getUsersNumber();
$organization = $management->getOrganization();
$organization->orgName = 'Renamed';
$seen['renamed'] = [$management->updateOrganization($organization), $management->getOrganization()->name];
$seen['deleted'] = $management->deleteUser($user->oid) === $user->oid;

$messaging = new Messaging();
$message = $messaging->authorizationMessage(['bob@example.org'], 'Sign-in', 'From here', 120);
$phone('/api/pushes/' . $phone('/api/pushes', false)[0]->id . '/deny', true);
$seen['denied'] = $messaging->trackMessage($message->messageId)->recipients[0]->status;
$messaging->cancelMessage($message->messageId);
$seen['too late'] = $messaging->getErrorCode();
echo json_encode($seen), "\n";
