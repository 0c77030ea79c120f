<?php
/*
Plugin Name: Small contact form
Description: Takes submissions in the wire format of Contact Form 7 and keeps them; for tests/real alone.
*/

// Two comments in a row are the test's, and no flood.
add_filter('comment_flood_filter', '__return_false', 99);
add_filter('wp_is_comment_flood', '__return_false', 99);

add_action('rest_api_init', function () {
  register_rest_route('contact-form-7/v1', '/contact-forms/(?P<id>\d+)/feedback', array(
    'methods' => 'POST',
    'permission_callback' => '__return_true',
    'callback' => function (WP_REST_Request $request) {
      $email = isset($_POST['your-email']) ? wp_unslash($_POST['your-email']) : '';
      if (!is_email($email) || empty($_POST['_wpcf7'])) {
        return new WP_REST_Response(array('status' => 'validation_failed'), 200);
      }
      // As an add-on that stores submissions does.
      $submissions = get_option('contact_submissions', array());
      $submissions[] = array(
        'posted' => wp_unslash($_POST),
        'remote_ip' => $_SERVER['REMOTE_ADDR'],
        'user_agent' => isset($_SERVER['HTTP_USER_AGENT']) ? $_SERVER['HTTP_USER_AGENT'] : '',
        'headers' => $request->get_headers(),
      );
      update_option('contact_submissions', $submissions);
      return new WP_REST_Response(array('contact_form_id' => (int) $request['id'], 'status' => 'mail_sent'), 200);
    },
  ));
});
