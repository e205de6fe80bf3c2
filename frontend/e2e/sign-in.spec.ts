import { expect, fillIn, signIn, test, USER } from './page.ts'

test('the right password signs in, a reload keeps the session, and signing out ends it', async ({ page }) => {
  await signIn(page)
  await expect(page.getByText(USER.username)).toBeVisible()
  await page.reload()
  await expect(page.getByText(USER.username)).toBeVisible()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
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
