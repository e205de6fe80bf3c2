import { expect, fillIn, signIn, test, USER } from './page.ts'

test('the right password signs in, a reload keeps the session, and signing out ends it', async ({ page }) => {
  await signIn(page)
  await expect(page.getByText(USER.username)).toBeVisible()
  await page.reload()
  await expect(page.getByText(USER.username)).toBeVisible()
  const revoked = page.waitForResponse(response =>
    Boolean(response.request().headers()['x-amz-target']?.endsWith('.RevokeToken')),
  )
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  expect((await revoked).status()).toBe(200)
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
})

test('a reload does not undo signing out, though the service has not answered yet', async ({ page }) => {
  await signIn(page)
  let ask = () => {}
  const asked = new Promise<void>(resolve => {
    ask = resolve
  })
  await page.route(process.env.VITE_USER_POOL_ENDPOINT ?? '', async route => {
    // Held without an end.
    if (route.request().headers()['x-amz-target']?.endsWith('.RevokeToken')) ask()
    else await route.fallback()
  })
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  expect(await page.evaluate(() => Object.keys(sessionStorage))).toEqual([])
  await asked
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await expect(page.getByLabel('User name or email')).toBeEditable()
  await page.unroute(process.env.VITE_USER_POOL_ENDPOINT ?? '')
  await fillIn(page)
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible()
})

test('a build for production fills in no credentials', async ({ page }) => {
  await page.goto('/')
  await expect(page.getByLabel('User name or email')).toHaveValue('')
  await expect(page.getByLabel('Password')).toHaveValue('')
})

test.describe(() => {
  test.use({ provokes: /status of 400/ })

  test('a wrong password is refused with a sentence, and the right one works after it', async ({ page }) => {
    await page.goto('/')
    await fillIn(page, { ...USER, password: 'WrongPassword123!' })
    await expect(page.getByRole('alert')).toHaveText('The user name or the password is not right.')
    await fillIn(page)
    await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible()
  })
})
