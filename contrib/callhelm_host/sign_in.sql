-- Where this host keeps passwords: apart from the tables that the integration reads.
CREATE SCHEMA auth;
CREATE TABLE auth.users (
    id uuid PRIMARY KEY REFERENCES public.profiles (id) ON DELETE CASCADE,
    encrypted_password text NOT NULL
);
